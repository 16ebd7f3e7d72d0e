"""Joins requests of like kind that arrive together into one piece of work for the single thread that computes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..clock import Clock, RealClock

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Answer = TypeVar("Answer")

GATHER_SECONDS = 0.01


@dataclass(frozen=True)
class _Waiting(Generic[Key, Item, Answer]):
    key: Key
    items: Sequence[Item]
    answers: asyncio.Future[list[Answer]]


class Batcher(Generic[Key, Item, Answer]):
    """Runs `compute(key, items)` in its own thread, one call at a time, for all items of a key that wait.

    A batch starts once no request came for `GATHER_SECONDS`; whatever arrives while it runs waits for the next one.
    The oldest request decides which key is next, so no key starves another.
    """

    def __init__(self, compute: Callable[[Key, Sequence[Item]], Sequence[Answer]], clock: Clock | None = None) -> None:
        self._compute = compute
        self._clock: Clock = clock or RealClock()
        self._waiting: list[_Waiting[Key, Item, Answer]] = []
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")

    async def submit(self, key: Key, items: Sequence[Item]) -> list[Answer]:
        """One answer for each item, in order. Raises what `compute` raised for the batch that held them."""
        answers: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(key, items, answers))
        self._arrived.set()
        return await answers

    async def run(self) -> None:
        """Serve requests until cancelled; a batch that runs is waited for, since a thread cannot be stopped."""
        try:
            while True:
                await self._arrived.wait()
                while self._waiting:
                    await self._gather()
                    await self._run_batch()
                self._arrived.clear()
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _gather(self) -> None:
        """Wait while requests keep coming: those who were answered together ask again one after the other."""
        known = 0
        while known < len(self._waiting):
            known = len(self._waiting)
            await self._clock.sleep(GATHER_SECONDS)

    async def _run_batch(self) -> None:
        key = self._waiting[0].key
        batch = [waiting for waiting in self._waiting if waiting.key == key]
        self._waiting = [waiting for waiting in self._waiting if waiting.key != key]
        # Whoever gave up meanwhile is not computed for.
        batch = [waiting for waiting in batch if not waiting.answers.done()]
        items = [item for waiting in batch for item in waiting.items]
        if not items:
            for waiting in batch:
                waiting.answers.set_result([])
            return
        loop = asyncio.get_running_loop()
        try:
            found = list(await loop.run_in_executor(self._thread, self._compute, key, items))
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait, the loop must go on for the others
            for waiting in batch:
                if not waiting.answers.done():
                    waiting.answers.set_exception(error)
            return
        start = 0
        for waiting in batch:
            end = start + len(waiting.items)
            if not waiting.answers.done():
                waiting.answers.set_result(found[start:end])
            start = end
