"""The outputs of a request: one file a format."""
