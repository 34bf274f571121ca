"""Pages for people: served as HTML."""
