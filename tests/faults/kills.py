"""Commands that are stopped at a random moment, or at one of their writes; the same command then goes on."""

import random
from collections.abc import Iterator, Sequence

from checks import Ground, Trial, again, ending, half, lost
from faulted import Command, Place
from processes import Stop, hung_up, interrupted, killed, left, run, terminated

STOPS: dict[str, tuple[Stop, tuple[int, ...]]] = {
    "kill -9": (killed, (-9,)),
    "SIGTERM": (terminated, (130, -15, -2)),
    "SIGINT": (interrupted, (130, -2)),
    "SIGHUP": (hung_up, (130, -1, -2)),
}
"""Each with how a command may end by it. Python ends by SIGINT, which a shell shows as 130 too, where it was making a class."""


FRESH = 4
"""Each so many-th turn starts Python afresh, and stops it in its first seconds."""

STARTS_S = 4.0


def kills(ground: Ground, commands: Sequence[Command], n: int, seed: int) -> Iterator[Trial]:
    """`n` in all, in turns; half of them by ``kill -9``, which nothing can prepare for."""
    rng, made, i = random.Random(seed), 0, 0
    while made < n:
        command = commands[i % len(commands)]
        name = "kill -9" if (i // len(commands)) % 2 == 0 else rng.choice(["SIGTERM", "SIGINT", "SIGHUP"])
        fresh = (i // len(commands)) % FRESH == FRESH - 1
        seconds = STARTS_S if fresh else ground.truth(command).seconds * 1.02
        trial = stopped(ground, command, name, rng.uniform(0.0, seconds), fresh)
        made, i = made + trial.hits, i + 1
        yield trial


def stopped(ground: Ground, command: Command, name: str, after_s: float, fresh: bool) -> Trial:
    """Stop a command after so many seconds, twice more where it goes on, and let it end."""
    truth, place = ground.truth(command), ground.place()
    before = place.inputs()
    wrong, hits = list[str](), 0
    for share in (1.0, 0.6, 0.8):
        hit, more = disturbed(ground, command, place, name, after_s * share, fresh)
        wrong, hits = wrong + more, hits + hit
    wrong += again(place, command, truth)
    if place.inputs() != before:
        wrong.append("an input has changed")
    if not wrong:
        ground.forget(place)
    return Trial(name, command.name, tuple(wrong), hits, f"after {after_s:.2f} s in {place.folder}")


def disturbed(ground: Ground, command: Command, place: Place, name: str, after_s: float, fresh: bool) -> tuple[bool, list[str]]:
    """Whether a run was stopped, and what went wrong."""
    stop, allowed = STOPS[name]
    truth = ground.truth(command)
    ended = run(command, place, after_s, stop, fresh=fresh)
    wrong = [*ending(ended, truth, allowed if ended.stopped else ()), *left(place), *half(place, command, truth)]
    return ended.stopped, wrong + lost(place, command, ended)
