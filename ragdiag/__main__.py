"""``python -m ragdiag``."""

from ragdiag.cli import main

main(prog_name="ragdiag")
