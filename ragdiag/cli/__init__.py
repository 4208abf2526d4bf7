"""The command line: one command is one call of the library, and formatting."""

from ragdiag.cli.commands import main

__all__ = ["main"]
