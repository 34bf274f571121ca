"""Cuts and joins sound, exact to the sample."""
