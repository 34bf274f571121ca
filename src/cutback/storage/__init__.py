"""Folders, S3 and the like: one way to all of them."""
