"""Answers of asynchronous functions, waited for one after another on one event loop."""

from __future__ import annotations

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

__all__ = ["Waiting"]


class Waiting:
    """Waits for what is awaitable, all on one loop: a client of an asynchronous function belongs to the loop that it began on.

    The loop runs in a thread of its own, since in a notebook one runs here already. It is started where it is needed.
    """

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1)

    def waited(self, answer: object) -> object:
        """`answer`; what it comes to where it is awaitable. Raises what that raises."""
        if not inspect.isawaitable(answer):
            return answer

        async def awaited() -> object:
            return await answer

        return self._thread.submit(lambda: self._loop.run_until_complete(awaited())).result()

    def close(self) -> None:
        """End the loop and its thread, where they were started."""
        if "_loop" in vars(self):
            self._thread.submit(self._loop.close).result()
            self._thread.shutdown()
