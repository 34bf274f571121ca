"""A clip's life around the path: accept, look up, claim, wait, commit, announce, sweep."""
