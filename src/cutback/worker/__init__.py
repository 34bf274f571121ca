"""Receives messages and makes their clips; delivers webhooks."""
