"""Cutting media: no settings, no network, no database."""
