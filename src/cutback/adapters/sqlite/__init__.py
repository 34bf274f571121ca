"""Ports on SQLite: queue, records and catalogue in one file."""
