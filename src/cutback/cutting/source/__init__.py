"""Recordings opened and indexed."""
