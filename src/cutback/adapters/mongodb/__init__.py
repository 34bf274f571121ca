"""Ports on MongoDB: records with their events, and the catalogue."""
