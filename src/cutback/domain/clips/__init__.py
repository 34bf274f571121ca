"""Clips, their events, and what happens after an error."""
