"""The child process that cuts: the parent's side and the child's side."""
