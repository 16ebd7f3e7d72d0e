"""How executions share one process: turns, pacing after a restart, the longest duration, clocks that jump."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from localcloud.clock import ManualClock, RealClock
from localcloud.workflows import HttpReply, HttpRequest, limits
from localcloud.workflows.engine import Engine
from localcloud.workflows.service.store import Store

PARENT = "projects/p/locations/l"
NAME = f"{PARENT}/workflows/w"
SLEEPS = "- a: {call: sys.sleep, args: {seconds: 3600}}\n- b: {return: done}"
COMPUTES = """
- a: {assign: [{n: 0}]}
- b: {for: {value: i, range: [1, 3000], steps: [{c: {assign: [{n: "${n + i}"}]}}]}}
- d: {return: "${n}"}
"""


class NoHttp:
    """No workflow here makes a request."""

    async def send(self, request: HttpRequest) -> HttpReply:
        raise AssertionError(request.url)


def _engine(store: Store, clock: ManualClock | RealClock) -> Engine:
    return Engine(store, clock, NoHttp())


def test_an_execution_that_computes_leaves_room_for_others() -> None:
    """Short executions created after ten long ones end before any of those does."""

    async def scenario() -> list[str]:
        engine = _engine(Store(None), ManualClock())
        engine.definitions.create(PARENT, "w", {"sourceContents": COMPUTES})
        engine.definitions.create(PARENT, "short", {"sourceContents": "- a: {return: 1}"})
        long = [engine.executions.create(NAME, None).name for _ in range(10)]
        await asyncio.sleep(0)
        short = [engine.executions.create(f"{PARENT}/workflows/short", None).name for _ in range(5)]
        for name in short:
            await engine.executions.wait(name)
        states = [engine.executions.get(name).state for name in long]
        for name in long:
            assert (await engine.executions.wait(name)).result == str(3000 * 3001 // 2)
        return states

    assert set(asyncio.run(scenario())) == {"ACTIVE"}


def test_the_event_loop_goes_round_between_the_turns_of_busy_executions() -> None:
    """Of ten busy executions only one runs in each round of the loop, so a request waits for one turn, not for ten."""

    async def scenario() -> tuple[int, int]:
        engine = _engine(Store(None), ManualClock())
        engine.definitions.create(PARENT, "w", {"sourceContents": COMPUTES})
        names = [engine.executions.create(NAME, None).name for _ in range(10)]
        rounds = 0
        while any(engine.executions.get(name).state == "ACTIVE" for name in names):
            await asyncio.sleep(0)
            rounds += 1
        return rounds, 10 * 3000 // 200

    rounds, turns = asyncio.run(scenario())
    assert rounds >= turns


def test_large_values_make_turns_shorter() -> None:
    """Copying 200 KB takes as long as many steps, so an execution that does gives way after a few of them."""
    source = """
main:
  params: [big]
  steps:
    - a: {for: {value: i, range: [1, 60], steps: [{b: {assign: [{copy: "${big}"}]}}]}}
"""

    async def scenario() -> int:
        engine = _engine(Store(None), ManualClock())
        engine.definitions.create(PARENT, "w", {"sourceContents": source})
        name = engine.executions.create(NAME, json.dumps(["x" * 92] * 2000)).name
        rounds = 0
        while engine.executions.get(name).state == "ACTIVE":
            await asyncio.sleep(0)
            rounds += 1
        return rounds

    assert asyncio.run(scenario()) >= 30


def test_executions_are_resumed_one_at_a_time(tmp_path: Path) -> None:
    """Requests are answered between them: one that is cancelled before its turn is not started any more."""

    async def scenario() -> list[str]:
        clock, store = ManualClock(), Store(tmp_path / "w.sqlite3")
        engine = _engine(store, clock)
        engine.definitions.create(PARENT, "w", {"sourceContents": SLEEPS})
        names = [engine.executions.create(NAME, None).name for _ in range(30)]
        await clock.advance(1)
        await engine.executions.close()
        engine = _engine(store, clock)
        assert engine.executions.resume() == 30
        assert engine.executions.computing
        await asyncio.sleep(0)
        engine.executions.cancel(names[20])
        engine.executions.cancel(names[0])
        await clock.advance(3600)
        return [engine.executions.get(name).state for name in names]

    states = asyncio.run(scenario())
    assert (states[0], states[20]) == ("CANCELLED", "CANCELLED")
    assert {state for number, state in enumerate(states) if number not in (0, 20)} == {"SUCCEEDED"}


def test_an_execution_lasts_a_year_at_most(tmp_path: Path) -> None:
    """Older ones fail with TimeoutError, counted from their creation and across restarts; younger ones go on."""

    async def scenario() -> tuple[list[str], str]:
        clock, store = ManualClock(), Store(tmp_path / "w.sqlite3")
        engine = _engine(store, clock)
        endless = "- a: {call: sys.sleep, args: {seconds: 1000000000}}"
        engine.definitions.create(PARENT, "w", {"sourceContents": endless})
        names = [engine.executions.create(NAME, None).name]
        await clock.advance(1000)
        names.append(engine.executions.create(NAME, None).name)
        await clock.advance(1000)
        await engine.executions.close()
        engine = _engine(store, clock)
        engine.executions.resume()
        await clock.advance(limits.DURATION_SECONDS - 1500)
        error = engine.executions.get(names[0]).error
        await_second = [engine.executions.get(name).state for name in names]
        await clock.advance(1000)
        assert engine.executions.get(names[1]).state == "FAILED"
        assert clock.next_deadline() is None
        return await_second, str(error)

    states, error = asyncio.run(scenario())
    assert states == ["FAILED", "ACTIVE"]
    assert "TimeoutError" in error


@pytest.mark.parametrize(("jump_seconds", "slept_seconds"), [(36_000.0, 36_000.0), (-0.1, 0.2)])
def test_a_sleep_follows_the_time_of_day(jump_seconds: float, slept_seconds: float) -> None:
    """A suspended machine wakes executions whose time has come; a clock set back wakes none before its time."""

    class Jumping(RealClock):
        offset = 0.0

        def now(self) -> float:
            return super().now() + self.offset

    async def scenario() -> None:
        clock = Jumping(longest_nap_seconds=0.01)
        engine = _engine(Store(None), clock)
        source = f"- a: {{call: sys.sleep, args: {{seconds: {slept_seconds}}}}}\n- b: {{return: done}}"
        engine.definitions.create(PARENT, "w", {"sourceContents": source})
        created = engine.executions.create(NAME, None)
        await asyncio.sleep(0.05)
        clock.offset = jump_seconds
        record = await asyncio.wait_for(engine.executions.wait(created.name), 5)
        assert record.result == '"done"'
        assert record.ended is not None
        assert record.ended - record.created >= slept_seconds

    asyncio.run(scenario())
