"""The catalogue of recordings: registers them, scans for them, finds them by camera and time."""
