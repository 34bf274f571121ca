"""Cutback cuts clips out of long recordings, exact to the frame, driven by events."""

__version__ = "0.1.0"
