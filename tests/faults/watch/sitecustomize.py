"""Python imports this at its start where its folder is on PYTHONPATH: it writes down what the process tries, in lines of JSON.

Attempts to connect or to look up a name, the programs that are started, and what the environment says at the moment when a
library with telemetry is imported. An audit hook cannot be taken off again, and sees what fails as well.
"""

import json
import os
import sys

_OUT = os.open(os.environ["RAGDIAG_WATCH"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

NETWORK = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
    "urllib.Request": 0,
}
"""Events of the network, and which of their arguments says with whom."""

PROGRAMS = {"subprocess.Popen": 0, "os.exec": 0, "os.posix_spawn": 0, "os.system": 0}

LIBRARIES = {"chromadb", "haystack", "huggingface_hub", "langsmith", "posthog", "pymilvus", "ragas", "transformers"}

SWITCHES = os.environ.get("RAGDIAG_SWITCHES", "").split()
"""Variables of the environment that are noted when a library is imported."""


def _write(**said: object) -> None:
    os.write(_OUT, json.dumps({"pid": os.getpid()} | said, default=str).encode() + b"\n")


def _watch(event: str, arguments: tuple) -> None:
    if event in NETWORK:
        _write(event=event, to=arguments[NETWORK[event]])
    elif event in PROGRAMS:
        _write(event=event, program=arguments[PROGRAMS[event]])
    elif event == "import" and arguments[0] in LIBRARIES:
        _write(event=event, library=arguments[0], switches={name: os.environ.get(name) for name in SWITCHES})


sys.addaudithook(_watch)
