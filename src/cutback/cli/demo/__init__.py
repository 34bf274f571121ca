"""The demo: a drawn recording, a dozen clips, two workers."""
