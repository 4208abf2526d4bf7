"""Work that several processes need the result of, done once."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["once"]

WAIT_S = 24 * 3600.0
"""How long a process waits for the one that does the work; should that die, its lock dies with it."""


def once(file: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `make` gives, as JSON has it: made by the first process that asks and kept in `file`, a database; others wait for it.

    Where it raises, nothing is kept, and the next to ask tries anew.
    """
    with contextlib.closing(sqlite3.connect(file, timeout=WAIT_S, isolation_level=None)) as db:
        db.execute("begin exclusive")
        try:
            db.execute("create table if not exists made (value text)")
            row = db.execute("select value from made").fetchone()
            if row is None:
                # Half of a surrogate pair has no UTF-8 form: JSON's escapes have one.
                row = (json.dumps(make()),)
                db.execute("insert into made values (?)", row)
            db.execute("commit")
        except BaseException:
            db.execute("rollback")
            raise
    value: dict[str, Any] = json.loads(row[0])
    return value
