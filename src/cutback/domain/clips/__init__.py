"""Clips, their events, and what follows an error."""
