"""A clip's life: accept, look up, wait, claim, commit, announce, sweep."""
