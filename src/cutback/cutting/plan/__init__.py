"""Plans what to copy and what to encode. Pure."""
