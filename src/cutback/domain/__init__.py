"""Words and pure decisions: no store, no network, no logging."""
