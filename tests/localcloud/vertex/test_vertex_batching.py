"""Requests of one kind that wait together are computed together, and share nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from localcloud.clock import ManualClock
from localcloud.vertex.batching import GATHER_SECONDS, Batcher


class Doubling:
    """Doubles numbers; records its batches; 0 breaks it; may be held up until `go`."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int]]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, key: str, items: Sequence[int]) -> list[int]:
        self.batches.append((key, list(items)))
        assert self.go.wait(10)
        if 0 in items:
            raise ZeroDivisionError("zero")
        return [2 * item for item in items]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def answers(clock: ManualClock, *asked: asyncio.Task[list[int]]) -> list[list[int]]:
    """The answers, gathering time passing as often as a batch waits for it; batches are computed in a real thread."""
    everyone = asyncio.gather(*asked)
    while not everyone.done():
        await clock.advance(GATHER_SECONDS)
        await asyncio.wait([everyone], timeout=0.001)
    return await everyone


def test_requests_that_arrive_together_are_one_batch() -> None:
    """Within the gathering time requests of a key are merged, and each gets its own answers."""

    async def scenario() -> None:
        clock, compute = ManualClock(), Doubling()
        batcher: Batcher[str, int, int] = Batcher(compute, clock)
        running = asyncio.create_task(batcher.run())
        asked = [asyncio.create_task(batcher.submit(*ask)) for ask in (("a", [1, 2]), ("b", [3]), ("a", [4]))]
        assert await answers(clock, *asked) == [[2, 4], [6], [8]]
        assert compute.batches == [("a", [1, 2, 4]), ("b", [3])]
        running.cancel()

    asyncio.run(scenario())


def test_requests_that_arrive_while_one_is_computed_are_merged() -> None:
    """What arrives during a batch waits and is the next batch."""

    async def scenario() -> None:
        clock, compute = ManualClock(), Doubling()
        compute.go.clear()
        batcher: Batcher[str, int, int] = Batcher(compute, clock)
        running = asyncio.create_task(batcher.run())
        first = asyncio.create_task(batcher.submit("a", [1]))
        await clock.advance(GATHER_SECONDS)
        later = [asyncio.create_task(batcher.submit("a", [number])) for number in (2, 3)]
        await settle()
        compute.go.set()
        assert await answers(clock, first, *later) == [[2], [4], [6]]
        assert compute.batches == [("a", [1]), ("a", [2, 3])]
        running.cancel()

    asyncio.run(scenario())


def test_a_burst_that_trickles_in_is_one_batch() -> None:
    """As long as requests keep coming within the gathering time, the batch waits for the next one."""

    async def scenario() -> None:
        clock, compute = ManualClock(), Doubling()
        batcher: Batcher[str, int, int] = Batcher(compute, clock)
        running = asyncio.create_task(batcher.run())
        asked = []
        for number in range(4):
            asked.append(asyncio.create_task(batcher.submit("a", [number + 1])))
            await clock.advance(GATHER_SECONDS * 0.9)
        assert await answers(clock, *asked) == [[2], [4], [6], [8]]
        assert compute.batches == [("a", [1, 2, 3, 4])]
        running.cancel()

    asyncio.run(scenario())


def test_a_failure_reaches_its_batch_only() -> None:
    """A batch that fails raises for those in it; the next one is computed as if nothing had been."""

    async def scenario() -> None:
        clock, compute = ManualClock(), Doubling()
        batcher: Batcher[str, int, int] = Batcher(compute, clock)
        running = asyncio.create_task(batcher.run())
        bad, good = (asyncio.create_task(batcher.submit(*ask)) for ask in (("a", [0]), ("b", [5])))
        with pytest.raises(ZeroDivisionError):
            await answers(clock, bad)
        assert await answers(clock, good) == [[10]]
        running.cancel()

    asyncio.run(scenario())


def test_nobody_computes_for_those_who_left() -> None:
    """A request that was cancelled while it waited is not computed."""

    async def scenario() -> None:
        clock, compute = ManualClock(), Doubling()
        batcher: Batcher[str, int, int] = Batcher(compute, clock)
        running = asyncio.create_task(batcher.run())
        gone, stays = (asyncio.create_task(batcher.submit("a", [number])) for number in (1, 2))
        await settle()
        gone.cancel()
        assert await answers(clock, stays) == [[4]]
        assert compute.batches == [("a", [2])]
        running.cancel()

    asyncio.run(scenario())
