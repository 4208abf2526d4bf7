"""Several processes on one cache at once, cold or full, one of them killed or not, with clocks that disagree or not."""

import random
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from checks import Ground, Trial, again, differing, ending, leftovers
from faulted import Command, Place
from processes import Ended, killed, left, run

YEAR_S = 365 * 86400
PLANTED = str(Path(__file__).parent / "planted")


def together(ground: Ground, commands: Sequence[Command], n: int, seed: int) -> Iterator[Trial]:
    """`n` in all: two or four processes, with a cold or a full cache, with and without a kill."""
    rng = random.Random(seed)
    using = [command for command in commands if "--cache" in command.argv and not command.person]
    for i in range(n):
        command, ways = using[i % len(using)], i // len(using)
        yield at_once(ground, command, (2, 4)[ways % 2], ways // 2 % 2 == 1, ways % 4 in (1, 2), rng, [0.0] * 4)


def clocks(ground: Ground, commands: Sequence[Command], n: int, seed: int) -> Iterator[Trial]:
    """`n` in all: a clock that jumps between commands, while one runs, or that differs between two that run at once."""
    rng = random.Random(seed)
    using = [command for command in commands if "--cache" in command.argv and not command.person]
    for i in range(n):
        shift = rng.choice([-1, 10]) * YEAR_S
        command, way = using[i // 3 % len(using)], ("between", "during", "apart")[i % 3]
        if way == "apart":
            yield at_once(ground, command, 2, False, False, rng, [0.0, shift])
        else:
            yield jumped(ground, command, shift, way)


def _shifted(place: Place, shift: float, after_s: float = 0.0) -> dict[str, str]:
    path = f"{PLANTED}:{place.environment()['PYTHONPATH']}"
    return {"PYTHONPATH": path, "FAULTS_CLOCK": str(shift), "FAULTS_CLOCK_AFTER": str(after_s)}


def jumped(ground: Ground, command: Command, shift: float, way: str) -> Trial:
    """Run a command, and once more when the clock has jumped; or let it jump while it runs."""
    truth, place = ground.truth(command), ground.place()
    if way == "between":
        run(command, place)
        (place.cache / ".ragdiag-1@elsewhere-x.tmp").write_text("of a process of another machine, at work now")
    ended = run(command, place, environment=_shifted(place, shift, 0.5 if way == "during" else 0.0), fresh=True)
    (place.cache / ".ragdiag-1@elsewhere-x.tmp").unlink(missing_ok=True)
    wrong = ending(ended, truth)
    wrong += [f"{name} differs" for name in differing(truth, {name: place.output(name) for name in command.outputs})]
    wrong += again(place, command, truth)
    if not wrong:
        ground.forget(place)
    return Trial(f"clock jumps {way} commands", command.name, tuple(wrong), 1, f"{shift:.0f} s, {place.folder}")


def at_once(
    ground: Ground, command: Command, processes: int, warm: bool, kill: bool, rng: random.Random, shifts: Sequence[float]
) -> Trial:
    """Several processes with one cache, each with outputs of its own."""
    truth = ground.truth(command)
    first = ground.place(command, warm)
    places = [first, *(ground.place() for _ in range(processes - 1))]
    for place in places[1:]:
        shutil.rmtree(place.cache)
        place.cache.symlink_to(first.cache)
    ends: dict[int, Ended] = {}

    def one(i: int) -> None:
        after_s = truth.seconds * rng.uniform(0.2, 1.5) if kill and i == 0 else None
        shifted = _shifted(places[i], shifts[i]) if shifts[i] else {}
        ends[i] = run(command, places[i], after_s, killed, environment=shifted, fresh=True)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrong = []
    for i, place in enumerate(places):
        if ends[i].stopped:
            continue
        wrong += ending(ends[i], truth)
        wrong += [f"{name} differs" for name in differing(truth, {name: place.output(name) for name in command.outputs})]
    wrong += [what for place in places for what in left(place)] + again(first, command, truth) + leftovers(first)
    if not wrong:
        for place in reversed(places):
            ground.forget(place)
    name = f"{processes} at once, {'full' if warm else 'cold'}{', one killed' if kill else ''}"
    return Trial("clocks apart" if any(shifts) else name, command.name, tuple(wrong), 1, str(first.folder))
