"""The formats of clips: one file each."""
