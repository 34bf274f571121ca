"""Cameras, their recordings and the wall clock."""
