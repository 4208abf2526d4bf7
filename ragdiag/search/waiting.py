"""Answers of asynchronous functions, waited for one after another on one event loop."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

__all__ = ["Waiting"]


class Waiting:
    """Waits for what is awaitable, all on one loop: a client of an asynchronous function belongs to the loop that it began on.

    The loop runs in a thread of its own, since in a notebook one runs here already. It is started where it is needed, and ends
    with the one who waits.
    """

    @cached_property
    def _running(self) -> tuple[asyncio.AbstractEventLoop, ThreadPoolExecutor]:
        loop, thread = asyncio.new_event_loop(), ThreadPoolExecutor(1)
        weakref.finalize(self, _ended, loop, thread)
        return loop, thread

    def waited(self, answer: object) -> object:
        """`answer`; what it comes to where it is awaitable. Raises what that raises."""
        if not inspect.isawaitable(answer):
            return answer

        async def awaited() -> object:
            return await answer

        loop, thread = self._running
        return thread.submit(lambda: loop.run_until_complete(awaited())).result()


def _ended(loop: asyncio.AbstractEventLoop, thread: ThreadPoolExecutor) -> None:
    """End a loop and its thread."""
    thread.submit(loop.close).result()
    thread.shutdown()
