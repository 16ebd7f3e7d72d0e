"""Time as an argument: the real clock, and one that tests drive by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """What every server of the local cloud asks for time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock's time; at once when not positive."""
        ...

    async def sleep_until(self, deadline: float) -> None:
        """Return when `now` has reached `deadline`; at once when it has already."""
        ...


class RealClock:
    """The machine's own time. Timers look at the time of day again after `longest_nap_seconds` at the latest."""

    def __init__(self, longest_nap_seconds: float = 30.0) -> None:
        self._longest_nap_seconds = longest_nap_seconds

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    async def sleep_until(self, deadline: float) -> None:
        # The loop's timers don't count while the machine is suspended, and the time of day can be set.
        remaining = deadline - self.now()
        while remaining > 0:
            await asyncio.sleep(min(remaining, self._longest_nap_seconds))
            remaining = deadline - self.now()


class ManualClock:
    """Time that moves only when `advance` is called; sleepers wake in the order of their deadlines."""

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    async def sleep_until(self, deadline: float) -> None:
        await self.sleep(deadline - self._now)

    def next_deadline(self) -> float | None:
        """When the earliest sleeper wakes, or None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def settle(self, progress: Callable[[], object]) -> None:
        """Let everything that is ready run, for as long as `progress` changes meanwhile; time stands still."""
        before = object()
        while (now := progress()) != before:
            before = now
            await _settle()

    async def advance(self, seconds: float) -> None:
        """Move time forward, waking each sleeper at its own deadline and letting it run before the next."""
        target = self._now + seconds
        await _settle()
        while (deadline := self.next_deadline()) is not None and deadline <= target:
            self._now = max(self._now, deadline)
            woken = heapq.heappop(self._sleepers)[2]
            woken.set_result(None)
            await _settle()
        self._now = target


async def _settle(rounds: int = 50) -> None:
    """Let everything that is ready run, so that what follows a wake-up can go to sleep again."""
    for _ in range(rounds):
        await asyncio.sleep(0)
