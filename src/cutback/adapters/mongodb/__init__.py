"""Records, catalogue and events in MongoDB."""
