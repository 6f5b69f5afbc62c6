"""`python -m webapp.cli.main`: the command `belepo`."""

from webapp.cli.main import main

main()
