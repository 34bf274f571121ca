"""`python -m cutback`."""

from cutback.run.cli import main

main()
