"""The command line: thin commands over the same functions that all interfaces use."""
