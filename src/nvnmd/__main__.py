"""`python -m nvnmd` is the command line program `nvnmd`."""

from nvnmd.cli import main

main()
