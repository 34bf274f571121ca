"""Recordings: registered, scanned for, found again by camera and moment."""
