"""``python -m ragdiag``."""

import sys
from pathlib import Path

if sys.path[0] in ("", str(Path.cwd())):  # python puts the working folder there: what lies in it is data, not modules to import
    del sys.path[0]

from ragdiag.cli import main

main(prog_name="ragdiag")
