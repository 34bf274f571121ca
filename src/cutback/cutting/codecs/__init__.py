"""Codecs: their packets, headers and encoders."""
