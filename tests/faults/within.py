"""Runs several command lines of ragdiag in one process, in which the libraries are loaded once, or a pytest or code of one line.

    python within.py COMMANDS.json STATUSES.jsonl [loopback]

`loopback` turns that on in a namespace of its own.

Before each it asks a socket file that is not there for the command's number: so what `strace` sees can be told apart.
"""

import contextlib
import fcntl
import io
import json
import socket
import struct
import sys
import threading
import time
import traceback
from pathlib import Path

MARK = "/nowhere/ragdiag-"


def mark(n: int) -> None:
    with socket.socket(socket.AF_UNIX) as asked, contextlib.suppress(OSError):
        asked.connect(f"{MARK}{n}")


def status_of(door: str, words: list[str]) -> int:
    """Run one; its exit status."""
    try:
        if door == "code":
            exec(words[0], {})
        elif door == "pytest":
            import pytest

            return int(pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", "project", "-c", "project/pytest.ini", *words]))
        else:
            from ragdiag.cli import main

            main(words, prog_name="ragdiag")
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException:
        traceback.print_exc()
        return 70
    return 0


def stop_pages(errors: "Said") -> None:
    """Ask each page that says its address for itself, mark nothing, and stop it."""
    import http.client
    import re

    while True:
        time.sleep(0.05)
        if page := re.search(r"http://127\.0\.0\.1:(\d+)(/[\w-]+/)", errors.getvalue()):
            errors.truncate(0)
            for method, path in (("GET", page[2]), ("POST", page[2] + "act"), ("POST", page[2] + "stop")):
                with contextlib.closing(http.client.HTTPConnection("127.0.0.1", int(page[1]), timeout=30)) as asked:
                    asked.request(method, path, b'{"do": "show"}', {"Content-Type": "application/json"})
                    asked.getresponse().read()


class Said(io.StringIO):
    """What goes to the terminal, kept."""


def main() -> None:
    if "loopback" in sys.argv[3:]:
        up_and_running = struct.pack("16sh", b"lo", 0x41)
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, 0x8914, up_and_running)  # SIOCSIFFLAGS
    commands = json.loads(Path(sys.argv[1]).read_text())
    statuses = Path(sys.argv[2])
    said = Said()
    threading.Thread(target=stop_pages, args=(said,), daemon=True).start()
    for n, door, words, typed in commands:
        mark(n)
        began = time.monotonic()
        said.seek(0), said.truncate(0)
        sys.stdin = io.TextIOWrapper(io.BytesIO(typed.encode()))
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = status_of(door, words)
        with statuses.open("a") as out:
            out.write(json.dumps([n, status, time.monotonic() - began, said.getvalue()[-2000:]]) + "\n")


main()
