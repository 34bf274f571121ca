"""`python -m cutback`."""

from cutback.cli.app import main

main()
