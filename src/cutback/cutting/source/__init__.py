"""Opens recordings and reads their indexes."""
