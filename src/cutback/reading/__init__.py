"""A recording's bytes, read by ranges and pinned to one version."""
