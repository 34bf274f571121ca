"""Requests, and the messages that carry them."""
