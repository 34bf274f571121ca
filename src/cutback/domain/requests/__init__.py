"""Requests, and the messages they come in."""
