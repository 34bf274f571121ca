"""Queue, records and catalogue in one SQLite file."""
