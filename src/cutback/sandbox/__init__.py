"""The child process that cuts: both ends of its conversation."""
