"""Pictures copied and encoded into one track."""
