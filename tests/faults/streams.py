"""Streams that are closed, full, or no longer read, and terminals that are gone."""

import random
from collections.abc import Iterator, Sequence

from checks import Ground, Trial, again, ending, lost
from faulted import Command
from processes import gone, left, run

STREAMS = {
    "| head -1": ("| head -1", (0, 1, 2)),
    "> /dev/full": ("> /dev/full", (2,)),
    "2> /dev/full": ("2> /dev/full", ()),
    "closed output": (">&-", (2,)),
    "closed input": ("<&-", (2,)),
    "all closed": ("<&- >&- 2>&-", (2,)),
}
"""Each as a shell says it, with how a command may end by it."""


def streams(ground: Ground, commands: Sequence[Command], n: int, seed: int) -> Iterator[Trial]:
    """`n` in all: of commands that nobody answers their streams, of the others their terminal."""
    rng = random.Random(seed)
    for i in range(n):
        command = commands[i % len(commands)]
        if command.person == "terminal":
            yield hung_up(ground, command, rng)
        elif not command.person:
            yield redirected(ground, command, list(STREAMS)[i // len(commands) % len(STREAMS)])


def redirected(ground: Ground, command: Command, name: str) -> Trial:
    """Run a command with its streams so; then as they should be."""
    truth, place = ground.truth(command), ground.place()
    shell, allowed = STREAMS[name]
    ended = run(command, place, shell=shell)
    wrong = [what for what in ending(ended, truth, allowed) if "0 lines of error" not in what or "2>" not in name + shell]
    wrong += again(place, command, truth)
    if not wrong:
        ground.forget(place)
    return Trial(f"stream: {name}", command.name, tuple(wrong), 1, f"{place.folder}: {ended.last}")


def hung_up(ground: Ground, command: Command, rng: random.Random) -> Trial:
    """Close the terminal of a command that asks there."""
    truth, place = ground.truth(command), ground.place()
    ended = run(command, place, truth.seconds * rng.uniform(0.3, 1.0), gone)
    wrong = [*ending(ended, truth, (130, -1, 1, 2)), *lost(place, command, ended), *left(place)]
    wrong = [what for what in wrong if "lines of error" not in what]  # there is nobody to tell
    wrong += again(place, command, truth)
    if not wrong:
        ground.forget(place)
    return Trial("a terminal that is closed", command.name, tuple(wrong), int(ended.stopped), str(place.folder))
