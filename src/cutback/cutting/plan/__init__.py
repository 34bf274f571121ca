"""Pure: what is copied and what is encoded."""
