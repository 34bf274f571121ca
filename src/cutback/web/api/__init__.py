"""The REST API: keys, problems, and one router for each kind of thing."""
