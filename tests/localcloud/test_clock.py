"""The hand-driven clock that every timed test relies on."""

from __future__ import annotations

import asyncio

from localcloud.clock import ManualClock


def test_sleepers_wake_at_their_own_deadlines_in_order() -> None:
    """Each sleeper sees the time it asked for, and what it does next may sleep again within the same advance."""
    clock = ManualClock(start=0)
    seen: list[tuple[str, float]] = []

    async def sleeper(name: str, *delays: float) -> None:
        for delay in delays:
            await clock.sleep(delay)
            seen.append((name, clock.now()))

    async def scenario() -> None:
        tasks = [asyncio.create_task(sleeper("a", 3, 3)), asyncio.create_task(sleeper("b", 2, 5))]
        await clock.advance(6)
        assert seen == [("b", 2), ("a", 3), ("a", 6)]
        assert clock.now() == 6
        await clock.advance(1)
        await asyncio.gather(*tasks)

    asyncio.run(scenario())
    assert seen[-1] == ("b", 7)


def test_a_cancelled_sleeper_is_forgotten() -> None:
    """It neither wakes nor counts as the next deadline."""
    clock = ManualClock(start=0)

    async def scenario() -> None:
        task = asyncio.create_task(clock.sleep(1))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert clock.next_deadline() is None
        await clock.advance(2)

    asyncio.run(scenario())


def test_settling_lets_work_finish_while_time_stands_still() -> None:
    """However often work yields, it is done before time moves: what only waits for the clock is told from it."""
    clock = ManualClock(start=0)
    turns: list[int] = []

    async def work() -> None:
        for turn in range(1000):
            turns.append(turn)
            await asyncio.sleep(0)
        await clock.sleep(1)

    async def scenario() -> None:
        task = asyncio.create_task(work())
        await clock.settle(lambda: len(turns))
        assert (len(turns), clock.now(), clock.next_deadline()) == (1000, 0, 1)
        await clock.advance(1)
        await task

    asyncio.run(scenario())
