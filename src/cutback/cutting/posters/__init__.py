"""Pictures that stand for a clip."""
