"""Interfaces over HTTP: the REST API."""
