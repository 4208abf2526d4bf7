"""Answers of asynchronous functions, waited for one after another on one event loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
import weakref
from functools import cached_property

__all__ = ["Waiting"]


class Waiting:
    """Waits for what is awaitable, all on one loop: a client of an asynchronous function belongs to the loop that it began on.

    The loop runs in a thread of its own, since in a notebook one runs here already. It is started where it is needed, and ends
    with the one who waits.
    """

    @cached_property
    def _running(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        threading.Thread(target=_run, args=(loop,), daemon=True).start()
        # This may be called in any thread at any time, one that just begins too: it must wait for nothing, and take no lock.
        weakref.finalize(self, loop.call_soon_threadsafe, loop.stop)
        return loop

    def waited(self, answer: object) -> object:
        """`answer`; what it comes to where it is awaitable. Raises what that raises."""
        if not inspect.isawaitable(answer):
            return answer

        async def awaited() -> object:
            return await answer

        return asyncio.run_coroutine_threadsafe(awaited(), self._running).result()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped."""
    try:
        loop.run_forever()
    finally:
        loop.close()
