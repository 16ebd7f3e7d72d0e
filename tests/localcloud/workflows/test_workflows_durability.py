"""Executions survive their process: stopped at any moment and started again, they end the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localcloud.clock import ManualClock
from localcloud.workflows import HttpReply, HttpRequest
from localcloud.workflows.engine import Engine
from localcloud.workflows.service.store import ExecutionRecord, Store

PARENT = "projects/p/locations/l"
NAME = f"{PARENT}/workflows/w"
SEQUENTIAL = """
main:
  steps:
    - start: {assign: [{seen: []}, {id: "${uuid.generate()}"}, {began: "${sys.now()}"}]}
    - loop:
        for:
          value: i
          range: [1, 4]
          steps:
            - wait: {call: sys.sleep, args: {seconds: "${i * 10}"}}
            - ask:
                try: {call: http.get, args: {url: "${\\"http://api.test/\\" + string(i)}"}, result: r}
                retry: ${http.default_retry}
            - note: {assign: [{seen: "${list.concat(seen, r.body)}"}]}
    - done: {return: {seen: "${seen}", same: "${id == id}", took: "${sys.now() - began}", id: "${id}"}}
"""
PARALLEL = """
main:
  steps:
    - start: {assign: [{seen: []}]}
    - both:
        parallel:
          shared: [seen]
          for:
            value: i
            in: [5, 3, 9, 1, 3]
            index: k
            steps:
              - again:
                  for:
                    value: j
                    range: [1, 3]
                    steps:
                      - wait: {call: sys.sleep, args: {seconds: "${i * j}"}}
                      - note: {assign: [{seen: "${list.concat(seen, string(k) + \\"/\\" + string(j))}"}]}
    - tail: {call: sys.sleep, args: {seconds: 10}}
    - done: {return: "${seen}"}
"""


class Echo:
    """Answers with the last part of the path; every third request with a 503 first."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    async def send(self, request: HttpRequest) -> HttpReply:
        self.urls.append(request.url)
        if len(self.urls) % 3 == 0:
            return HttpReply(503, {}, b"")
        return HttpReply(200, {"Content-Type": "text/plain"}, request.url.rpartition("/")[2].encode())


async def _interrupted(source: str, folder: Path, stop: Callable[[float], bool]) -> tuple[ExecutionRecord, Echo, float]:
    """Run `source`, killing the engine after each second for which `stop` says so; the record, calls, driven time."""
    clock, http = ManualClock(), Echo()
    start = clock.now()
    store = Store(folder / "w.sqlite3")
    engine = Engine(store, clock, http)
    engine.definitions.create(PARENT, "w", {"sourceContents": source})
    name = engine.executions.create(NAME, None).name
    second = 0
    while engine.executions.get(name).state == "ACTIVE":
        second += 1
        assert second < 1000
        await clock.advance(1)
        if stop(second) and engine.executions.get(name).state == "ACTIVE":
            await engine.executions.close()
            store.close()
            store = Store(folder / "w.sqlite3")
            engine = Engine(store, clock, http)
            assert engine.executions.resume() == 1
    record = engine.executions.get(name)
    store.close()
    return record, http, clock.now() - start


@pytest.mark.parametrize("every", [1, 2, 3, 7, 25, 60])
def test_a_sequence_ends_the_same_however_often_it_is_stopped(every: int, tmp_path: Path) -> None:
    """Sleeps go on to their first deadline, answered calls are not made again, and values keep."""
    whole, calls, took = asyncio.run(_interrupted(SEQUENTIAL, _folder(tmp_path, "a"), lambda second: False))
    record, again, time = asyncio.run(_interrupted(SEQUENTIAL, _folder(tmp_path, "b"), lambda s: s % every == 0))
    assert record.state == "SUCCEEDED"
    assert _without_id(record.result) == _without_id(whole.result)
    assert again.urls == calls.urls
    assert time == pytest.approx(took)


@pytest.mark.parametrize("every", [1, 2, 5, 11])
def test_branches_write_shared_variables_in_the_same_order_again(every: int, tmp_path: Path) -> None:
    """Replayed branches resume in recorded order, so that what was seen before the stop stays true."""
    whole, _, _ = asyncio.run(_interrupted(PARALLEL, _folder(tmp_path, "a"), lambda second: False))
    record, _, _ = asyncio.run(_interrupted(PARALLEL, _folder(tmp_path, "b"), lambda s: s % every == 0))
    assert record.result == whole.result


def test_a_call_in_flight_is_made_again(tmp_path: Path) -> None:
    """A call without an answer when the process ended is repeated: at least once."""
    source = '- a: {call: http.get, args: {url: "http://api.test/x"}, result: r}\n- b: {return: "${r.body}"}'

    class Slow(Echo):
        async def send(self, request: HttpRequest) -> HttpReply:
            reply = await super().send(request)
            if len(self.urls) == 1:
                await asyncio.Event().wait()
            return reply

    async def scenario() -> tuple[Any, int]:
        clock, http, store = ManualClock(), Slow(), Store(tmp_path / "w.sqlite3")
        engine = Engine(store, clock, http)
        engine.definitions.create(PARENT, "w", {"sourceContents": source})
        name = engine.executions.create(NAME, None).name
        await clock.advance(1)
        await engine.executions.close()
        engine = Engine(store, clock, http)
        engine.executions.resume()
        record = await engine.executions.wait(name)
        return record.result, len(http.urls)

    assert asyncio.run(scenario()) == ('"x"', 2)


def test_a_running_execution_keeps_its_revision(tmp_path: Path) -> None:
    """A later deployment does not touch executions that run, not even after a restart."""

    async def scenario() -> tuple[str | None, str | None]:
        clock, store = ManualClock(), Store(tmp_path / "w.sqlite3")
        engine = Engine(store, clock, Echo())
        sleep = "- a: {call: sys.sleep, args: {seconds: 5}}\n- b: {return: %s}"
        engine.definitions.create(PARENT, "w", {"sourceContents": sleep % "old"})
        first = engine.executions.create(NAME, None).name
        engine.definitions.update(NAME, {"sourceContents": sleep % "new"}, ["sourceContents"])
        second = engine.executions.create(NAME, None).name
        await clock.advance(1)
        await engine.executions.close()
        engine = Engine(store, clock, Echo())
        engine.executions.resume()
        await clock.advance(5)
        return engine.executions.get(first).result, engine.executions.get(second).result

    assert asyncio.run(scenario()) == ('"old"', '"new"')


def test_a_callback_received_before_the_stop_is_not_lost(tmp_path: Path) -> None:
    """A request that was answered with 200 reaches the execution, once, after a restart, too."""
    source = """
- a: {call: events.create_callback_endpoint, result: c}
- b: {call: sys.sleep, args: {seconds: 10}}
- d: {call: events.await_callback, args: {callback: "${c}"}, result: first}
- e:
    try: {call: events.await_callback, args: {callback: "${c}", timeout: 60}, result: second}
    except: {as: e, steps: [{f: {return: ["${first.http_request.body}", "${e.tags[0]}"]}}]}
"""

    async def scenario() -> str | None:
        clock, store = ManualClock(), Store(tmp_path / "w.sqlite3")
        engine = Engine(store, clock, Echo())
        engine.definitions.create(PARENT, "w", {"sourceContents": source})
        name = engine.executions.create(NAME, None).name
        await clock.advance(1)
        identity = store.callbacks(name)[0].id
        engine.callbacks.receive(name, identity, {"method": "POST", "body": "hello"})
        await engine.executions.close()
        engine = Engine(store, clock, Echo())
        engine.executions.resume()
        await clock.advance(100)
        return engine.executions.get(name).result

    assert asyncio.run(scenario()) == '["hello","TimeoutError"]'


def test_a_thousand_sleepers_are_cheap(tmp_path: Path) -> None:
    """1,000 executions sleep an hour of driven time side by side, and leave nothing behind in memory."""

    async def scenario() -> int:
        clock, store = ManualClock(), Store(tmp_path / "w.sqlite3")
        engine = Engine(store, clock, Echo())
        source = "- a: {call: sys.sleep, args: {seconds: 3600}}\n- b: {return: done}"
        engine.definitions.create(PARENT, "w", {"sourceContents": source})
        names = [engine.executions.create(NAME, None).name for _ in range(1000)]
        await clock.advance(3601)
        return sum(engine.executions.get(name).state == "SUCCEEDED" for name in names)

    assert asyncio.run(scenario()) == 1000


def _folder(root: Path, name: str) -> Path:
    folder = root / name
    folder.mkdir()
    return folder


def _without_id(result: str | None) -> Any:
    assert result is not None
    return result[: result.index('"id":')] + result[result.index('"same"') :]
