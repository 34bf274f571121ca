"""What Cutback costs, measured against its peers in the same run: `python -m bench`."""
