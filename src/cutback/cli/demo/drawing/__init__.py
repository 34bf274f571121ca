"""A drawn surf camera: recordings to try Cutback on, with nothing to download."""
