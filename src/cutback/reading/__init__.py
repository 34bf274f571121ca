"""Reads recordings by byte ranges, each pinned to one version."""
