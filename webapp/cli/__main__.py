"""`python -m webapp.cli`: the command `belepo`."""

from webapp.cli.main import main

main()
