"""Copies and encodes pictures into one track."""
