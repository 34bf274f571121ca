"""Formats output for terminals."""
