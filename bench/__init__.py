"""Measures the cost of Cutback and of other programs in the same run: `python -m bench`."""
