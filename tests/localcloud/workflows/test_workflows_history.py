"""Step history: what is recorded, how much of it, and that a restart changes nothing of the past."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from workflows_cloud import PARENT, Cloud, run

from localcloud.clock import ManualClock
from localcloud.workflows import limits, run_source
from localcloud.workflows.errors import WorkflowError
from localcloud.workflows.running.control import Control, Goto, Returned
from localcloud.workflows.running.observer import Entry, Kind, Observers, ValueKind
from localcloud.workflows.service.store import Store

EVERY_KIND = """
main:
  params: [x]
  steps:
    - set: {assign: [{m: {}}, {m.k: "${x}"}]}
    - choose:
        switch:
          - condition: ${x == 0}
            next: done
          - condition: ${x == 1}
            assign: [{y: 2}]
    - double: {call: twice, args: {n: 4}, result: r}
    - block: {steps: [{inner: {next: loop}}]}
    - loop: {for: {value: v, range: [1, 2], steps: [{body: {assign: [{y: "${v}"}]}}]}}
    - fan:
        parallel:
          branches:
            - one: {steps: [{nap: {call: sys.sleep, args: {seconds: 2}}}]}
            - two: {steps: [{set_it: {assign: [{z: 1}]}}]}
    - many: {parallel: {for: {value: w, in: [7], steps: [{each: {assign: [{q: "${w}"}]}}]}}}
    - risky:
        try: {raise: no}
        retry: {predicate: "${retry.always}", max_retries: 1, backoff: {initial_delay: 5, max_delay: 5, multiplier: 1}}
        except: {as: e, steps: [{fine: {assign: [{y: "${e}"}]}}]}
    - done: {return: "${r}"}
twice:
  params: [n]
  steps:
    - back: {return: "${n * 2}"}
"""
KILLED = """
- start: {call: sys.sleep, args: {seconds: 10}}
- fan:
    parallel:
      for:
        value: v
        range: [1, 3]
        steps: [{wait: {call: sys.sleep, args: {seconds: "${10 * v}"}}}, {note: {assign: [{a: 1}]}}]
- late: {call: sys.sleep, args: {seconds: 10}}
- bad: {raise: no}
"""


class Story:
    """Writes down what it is told."""

    wants_values = True

    def __init__(self) -> None:
        self.begun: list[Entry] = []
        self.values: list[tuple[str, ValueKind, str, Any]] = []
        self.ends: dict[str, tuple[Control, str | None]] = {}

    def began(self, entry: Entry) -> None:
        self.begun.append(entry)

    def noted(self, entry: Entry, kind: ValueKind, name: str, value: Any) -> None:
        self.values.append((entry.id, kind, name, value))

    def ended(self, entry: Entry, control: Control, error: WorkflowError | None) -> None:
        self.ends[entry.id] = (control, error and error.headline())


@pytest.fixture(scope="module")
def story() -> Story:
    """What is told of an execution with every kind of step."""
    told = Story()
    assert asyncio.run(run_source(EVERY_KIND, 1, clock=ManualClock(), observer=told)) == 8
    return told


def test_every_kind_of_entry_is_told(story: Story) -> None:
    """Each kind begins and ends; only connector calls and steps that raise or jump elsewhere are not in this one."""
    assert set(Kind) - {entry.kind for entry in story.begun} == {Kind.CONNECTOR_CALL}
    assert {entry.id for entry in story.begun} == set(story.ends)


def test_entries_nest(story: Story) -> None:
    """What runs within a step has it as its parent, subworkflows, branches and attempts included."""
    paths = {_path(entry) for entry in story.begun}
    assert "choose SWITCH / choose CONDITION 1 / choose ASSIGN" in paths
    assert "double SUBWORKFLOW_CALL / back RETURN" in paths
    assert "block STEPS / inner GOTO" in paths
    assert "loop FOR / loop FOR_ITERATION 1 / body ASSIGN" in paths
    assert "fan PARALLEL_BRANCH / fan PARALLEL_BRANCH_ENTRY 0 one / nap STD_LIB_CALL" in paths
    assert "many PARALLEL_FOR / many FOR_ITERATION 0 / each ASSIGN" in paths
    assert "risky TRY_RETRY_EXCEPT / risky TRY 0 / risky RAISE" in paths
    assert "risky TRY_RETRY_EXCEPT / risky RETRY 1 / risky RAISE" in paths
    assert "risky TRY_RETRY_EXCEPT / risky EXCEPT / fine ASSIGN" in paths


def test_ids_are_unique_and_branches_are_named(story: Story) -> None:
    """An id has the branch in it; entries of the main line have none."""
    assert len({entry.id for entry in story.begun}) == len(story.begun)
    branches = {entry.name: entry.branch for entry in story.begun if not entry.kind.endswith("ENTRY")}
    assert branches["nap"] != branches["set_it"] != ""
    assert branches["done"] == ""


def test_the_end_of_a_step_tells_where_it_goes(story: Story) -> None:
    """Nothing for the following step, a jump, a returned value, or an error."""
    ends = {(entry.name, entry.kind): story.ends[entry.id] for entry in story.begun}
    assert ends["set", Kind.ASSIGN] == (None, None)
    assert ends["inner", Kind.GOTO] == (Goto("loop"), None)
    assert ends["done", Kind.RETURN] == (Returned(8), None)
    assert ends["risky", Kind.RAISE] == (None, "RuntimeError: no")
    assert ends["risky", Kind.TRY_RETRY_EXCEPT] == (None, None)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (ValueKind.ASSIGNED, 'm["k"]', 1),
        (ValueKind.CONDITION, "0", False),
        (ValueKind.CONDITION, "1", True),
        (ValueKind.ARGUMENTS, "", {"n": 4}),
        (ValueKind.RESULT, "r", 8),
        (ValueKind.ITEM, "v", 2),
        (ValueKind.EXPECTED, "", 2),
        (ValueKind.CAUGHT, "e", "no"),
        (ValueKind.RETURNED, "", 8),
    ],
)
def test_values_are_told(kind: ValueKind, name: str, value: Any, story: Story) -> None:
    """Every kind of value is told with the name that belongs to it."""
    assert (kind, name, value) in [told[1:] for told in story.values]


def test_values_are_told_to_those_who_want_them() -> None:
    """Of several observers only those that want values are told them; all are told the steps."""
    quiet, loud = Story(), Story()
    quiet.wants_values = False
    asyncio.run(run_source("- a: {assign: [{x: 1}]}", clock=ManualClock(), observer=Observers([quiet, loud])))
    assert [len(quiet.begun), len(loud.begun), len(quiet.values), len(loud.values)] == [1, 1, 0, 1]


def test_a_restart_keeps_numbers_and_times(tmp_path: Path) -> None:
    """Entries that were in the store keep number, creation and end; those under way end after the restart."""

    async def scenario() -> None:
        straight = await _entries_after(tmp_path / "straight.sqlite3", [])
        for stops in ([5], [15], [25, 25], [10, 35], [12, 13, 31, 45]):
            path = tmp_path / f"{'-'.join(map(str, stops))}.sqlite3"
            assert await _entries_after(path, stops) == straight, stops

    asyncio.run(scenario())


async def _entries_after(path: Path, stops: Sequence[float]) -> list[tuple[Any, ...]]:
    """The entries of an execution whose engine is stopped at these seconds."""
    clock = ManualClock()
    name = ""
    beginning = clock.now()
    for stop in [*stops, 100.0]:
        store = Store(path)
        cloud = Cloud(store, clock)
        if name:
            cloud.engine.executions.resume()
        else:
            await cloud.deploy(KILLED)
            name = PARENT + await cloud.execute()
        await clock.advance(beginning + stop - clock.now())
        found = cloud.engine.executions.history(name) if stop == 100 else []
        await cloud.engine.executions.close()
        store.close()
    return [(e.id, e.key, e.parent, e.step, e.state, e.created, e.updated, e.exception) for e in found]


def test_history_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit only failed entries are kept, as many as their own limit allows."""
    monkeypatch.setattr(limits, "HISTORY_ENTRIES", 6)
    monkeypatch.setattr(limits, "HISTORY_FAILED_ENTRIES", 1)
    source = """
- loop: {for: {value: v, range: [1, 9], steps: [{body: {assign: [{y: 1}]}}]}}
- bad: {try: {raise: x}, except: {as: e, steps: [{y: {raise: "${e}"}}]}}
"""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(source)
        path = await cloud.execute()
        found = (await cloud.call("GET", f"{path}/stepEntries"))["stepEntries"]
        assert [entry["entryId"] for entry in found[:-1]] == ["1", "2", "3", "4", "5", "6"]
        assert (found[0]["state"], found[-1]["state"], found[-1]["step"]) == ("STATE_SUCCEEDED", "STATE_FAILED", "bad")

    run(scenario)


def test_a_failed_simple_step_is_kept_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that are only counted beyond the limit get an entry after all when they fail."""
    monkeypatch.setattr(limits, "HISTORY_ENTRIES", 3)
    source = """
- loop: {for: {value: v, range: [1, 9], steps: [{body: {assign: [{y: "${1 / (9 - v)}"}]}}]}}
"""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(source)
        path = await cloud.execute()
        found = (await cloud.call("GET", f"{path}/stepEntries"))["stepEntries"]
        failed = [entry for entry in found if entry["state"] == "STATE_FAILED"]
        assert {(entry["step"], entry["stepType"]) for entry in failed} >= {("body", "STEP_ASSIGN")}
        assert "ZeroDivisionError" in failed[-1]["exception"]["payload"]

    run(scenario)


def test_long_values_are_excerpts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value beyond its limit is kept as its beginning and its length; bytes are shown as base64."""
    monkeypatch.setattr(limits, "HISTORY_VALUE_CHARACTERS", 10)
    source = "- a: {assign: [{short: [1, 2]}, {long: abcdefghijkl}, {raw: '${text.encode(\"hi\")}'}]}"

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(source, executionHistoryLevel="EXECUTION_HISTORY_DETAILED")
        path = await cloud.execute()
        found = await cloud.call("GET", f"{path}/stepEntries/1")
        expected = {"short": [1, 2], "long": '"abcdefghi... (14 characters)', "raw": "aGk="}
        assert found["variableData"]["variables"] == expected

    run(scenario)


@pytest.mark.parametrize(("verb", "state"), [(":cancel", "STATE_CANCELLED"), (None, "STATE_IN_PROGRESS")])
def test_open_entries_end_with_a_cancelled_execution(verb: str | None, state: str) -> None:
    """Entries under way when an execution is cancelled are CANCELLED; before that they are in progress."""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy("- a: {steps: [{b: {call: sys.sleep, args: {seconds: 60}}}]}")
        path = await cloud.execute()
        await cloud.clock.advance(1)
        if verb:
            await cloud.call("POST", path + verb, json={})
        found = (await cloud.call("GET", f"{path}/stepEntries"))["stepEntries"]
        assert [entry["state"] for entry in found] == [state, state]

    run(scenario)


def test_deleted_workflows_leave_no_entries() -> None:
    """Deleting a workflow forgets the history of its executions; deleting a history leaves the execution."""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy("- a: {return: 1}")
        path, other = await cloud.execute(), await cloud.execute()
        await cloud.call("POST", f"{other}:deleteExecutionHistory", json={})
        assert (await cloud.call("GET", f"{other}/stepEntries")) == {"stepEntries": [], "totalSize": 0}
        assert len((await cloud.call("GET", f"{path}/stepEntries"))["stepEntries"]) == 1
        await cloud.call("DELETE", "/workflows/w")
        assert cloud.store.entries.of(PARENT + path) == []

    run(scenario)


def _path(entry: Entry | None) -> str:
    if entry is None:
        return ""
    index = "" if entry.index is None else f" {entry.index}"
    label = f" {entry.label}" if entry.label else ""
    own = f"{entry.name} {entry.kind.removeprefix('STEP_')}{index}{label}"
    return f"{_path(entry.parent)} / {own}" if entry.parent else own
