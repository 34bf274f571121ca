"""Data types and pure decisions: no store, no network, no logging."""
