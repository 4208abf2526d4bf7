"""What must hold after a fault: how the command ended, what is left of it, and what the same command then comes to."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from faulted import COMMANDS, Command, Place, inputs, made
from processes import Ended, decided, left, run

BAD = ("Traceback", "bug in ragdiag", "Exception ignored", "Segmentation", "Fatal Python error", "ResourceWarning", "UserWarning")


TORCHS = "torchinductor_"
"""A folder that torch makes once for each user."""


class Trial(NamedTuple):
    """A fault that was put into a command, and what went wrong; `hits` counts the times: 0 where the command had ended before."""

    fault: str
    command: str
    wrong: tuple[str, ...]
    hits: int = 1
    detail: str = ""


class Truth(NamedTuple):
    """What an undisturbed run with a new cache comes to."""

    status: int
    outputs: dict[str, bytes | None]
    seconds: float
    decided: int


class Ground:
    """Where trials are made: inputs, and what each command comes to undisturbed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = inputs(folder / "template")
        self._truths: dict[str, Truth] = {}
        self._n = 0

    def place(self, command: Command | None = None, warm: bool = False) -> Place:
        """A new place, with a full cache of a command where that is asked for."""
        self._n += 1
        place = made(self.folder / f"p{self._n}", self.template)
        if warm and command is not None:
            run(command, place)
            shutil.rmtree(place.out)
            place.out.mkdir()
        return place

    def truth(self, command: Command) -> Truth:
        """What `command` comes to undisturbed. Raises `RuntimeError` where it fails."""
        if command.name not in self._truths:
            self._truths[command.name] = self._undisturbed(command)
        return self._truths[command.name]

    def _undisturbed(self, command: Command) -> Truth:
        place = self.place()
        ended = run(command, place)
        if ended.status not in (0, 1) or (wrong := told_badly(ended)):
            raise RuntimeError(f"{command.name} fails undisturbed: {ended.status} {ended.said[-2000:]}")
        outputs = {name: place.output(name) for name in command.outputs}
        kept = place.work / command.keeps[0] if command.person else None
        truth = Truth(ended.status, outputs, ended.seconds, decided(kept) if kept else 0)
        wrong = [*leftovers(place), *left(place)]
        if wrong:
            raise RuntimeError(f"{command.name} undisturbed: {wrong}")
        self.forget(place)
        return truth

    def forget(self, place: Place) -> None:
        """Remove a place."""
        shutil.rmtree(place.folder, ignore_errors=True)


def differing(truth: Truth, outputs: dict[str, bytes | None]) -> list[str]:
    """The outputs that are not as they are undisturbed."""
    return [name for name, raw in truth.outputs.items() if outputs.get(name) != raw]


def told_badly(ended: Ended) -> list[str]:
    """What no user should ever read."""
    return [f"says {word!r}: {ended.said[-1500:]}" for word in BAD if word in ended.said]


def ending(ended: Ended, truth: Truth, allowed: Sequence[int] = ()) -> list[str]:
    """Whether a command ended as it may: well, with one line of error, or by the signal that it was sent."""
    wrong = told_badly(ended)
    errors = [line for line in ended.said.splitlines() if line.lstrip("\r> ").startswith("error: ")]
    if ended.status in (2, 130) and len(errors) != 1:
        wrong.append(f"status {ended.status} with {len(errors)} lines of error: {ended.said[-500:]}")
    if ended.status not in (truth.status, *allowed):
        wrong.append(f"status {ended.status}: {ended.said[-500:]}")
    return wrong


def half(place: Place, command: Command, truth: Truth, earlier: dict[str, bytes] | None = None) -> list[str]:
    """Outputs that are there and not whole."""
    wrong = []
    for name in command.outputs:
        path = place.work / name
        if earlier and path.exists() and path.read_bytes() == earlier.get(name):
            continue
        try:
            raw = place.output(name)
        except ValueError as e:
            if not name.endswith(("record.jsonl", "marks.jsonl")):  # of what is added to, the last line may be unfinished
                wrong.append(f"{name} is half written: {e}")
            continue
        if name in command.reports and raw not in (None, truth.outputs[name]) and not (command.person and raw):
            wrong.append(f"{name} is neither what it was nor what it should be")
    return wrong


def lost(place: Place, command: Command, ended: Ended) -> list[str]:
    """Decisions that were confirmed, and are not in the file."""
    if not command.person:
        return []
    there = whole_lines(place.work / command.keeps[0])
    return [f"{ended.confirmed} confirmed, {there} kept"] if there < ended.confirmed else []


def whole_lines(file: Path) -> int:
    """Queries decided in a file, of its finished lines."""
    if not file.exists():
        return 0
    raw = file.read_bytes()
    whole = file.parent.parent.parent / "whole" / file.name
    whole.parent.mkdir(exist_ok=True)
    whole.write_bytes(raw[: raw.rfind(b"\n") + 1])
    try:
        return decided(whole)
    finally:
        whole.unlink()


def leftovers(place: Place) -> list[str]:
    """Files and folders that nobody needs any more."""
    temporary = [path for path in place.temporary.iterdir() if not path.name.startswith(TORCHS)]
    wrong = [f"{path.relative_to(place.folder)} stays behind" for path in temporary]
    for folder in (place.cache, place.out, place.work, place.folder / "home"):
        names = [p for p in folder.rglob("*") if p.name.endswith((".tmp", "-journal", "-wal", "-shm"))]
        wrong += [f"{path.relative_to(place.folder)} stays behind" for path in names]
    return wrong


def again(place: Place, command: Command, truth: Truth) -> list[str]:
    """Run the same command once more, undisturbed: what differs from a run that nothing disturbed, and what stays behind."""
    ended = run(command, place)
    wrong = [f"again: {what}" for what in ending(ended, truth)]
    try:
        outputs = {name: place.output(name) for name in command.outputs}
        wrong += [f"again: {name} differs" for name in differing(truth, outputs)]
    except ValueError as e:
        wrong.append(f"again: {e}")
    return wrong + [f"again: {what}" for what in [*leftovers(place), *left(place)]]


Family = Callable[[Ground, Sequence[Command], int, int], Iterator[Trial]]
"""Faults of a kind: trials on a ground with some commands, so many, from a seed."""


def chosen(names: Sequence[str]) -> list[Command]:
    """The commands of these names; all where there are none."""
    return [COMMANDS[name] for name in names] or list(COMMANDS.values())
