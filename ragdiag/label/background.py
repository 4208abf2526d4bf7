"""What takes long to make, made while the labeller already reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Background"]

T = TypeVar("T")


class Background(Generic[T]):
    """Makes a thing for each of `names`, one after the other, behind what else goes on. It ends with the program."""

    def __init__(self, make: Callable[[str], T], names: Sequence[str]) -> None:
        self._make = make
        self._made: dict[str, T] = {}
        self._failed: dict[str, Exception] = {}
        self._over = {name: threading.Event() for name in names}
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        for name, over in self._over.items():
            try:
                self._made[name] = self._make(name)
            except Exception as e:  # whoever asks for it is told
                self._failed[name] = e
            over.set()

    def __contains__(self, name: str) -> bool:
        return name in self._over

    def is_over(self, name: str) -> bool:
        """Whether it is made, or cannot be."""
        return self._over[name].is_set()

    def result(self, name: str) -> T:
        """What was made, when it is; raises what making it raised."""
        self._over[name].wait()
        if name in self._failed:
            raise self._failed[name]
        return self._made[name]
