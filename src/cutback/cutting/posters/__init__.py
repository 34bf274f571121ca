"""Posters: pictures that represent a clip."""
