"""Sound, to the sample."""
