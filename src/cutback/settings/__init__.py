"""The settings and their validation."""
