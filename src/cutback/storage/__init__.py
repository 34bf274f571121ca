"""Stores of objects: folders, S3 and similar services, behind one class."""
