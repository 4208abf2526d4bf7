"""python tests/bench/planted"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from planted.command import main  # noqa: E402

main()
