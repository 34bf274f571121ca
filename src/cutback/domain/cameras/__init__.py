"""Cameras, their recordings and their clocks."""
