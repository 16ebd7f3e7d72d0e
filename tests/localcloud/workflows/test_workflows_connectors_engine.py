"""Connectors and the engine: its own workflows as a service, restarts in the middle of a call, configuration."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from workflows_stub import StubHttp

from localcloud.clock import ManualClock
from localcloud.workflows import HttpReply, HttpRequest, WorkflowError, run_source
from localcloud.workflows.connectors import Connectors
from localcloud.workflows.engine import Engine
from localcloud.workflows.service.store import ExecutionRecord, Store

PARENT = "projects/p/locations/l"
EXECUTIONS = "googleapis.workflowexecutions.v1.projects.locations.workflows.executions"
SELF = "projects/local-project/locations/local-location/workflows/workflow"
# Called with a number it sleeps so many seconds and gives its square; -1 fails; otherwise it calls itself.
FAMILY = """
main:
  params: [n]
  steps:
    - child:
        switch:
          - condition: ${n == -1}
            raise: refused
          - condition: ${get_type(n) == "integer"}
            steps:
              - wait: {call: sys.sleep, args: {seconds: "${n}"}}
              - square: {return: "${n * n}"}
    - parent:
        CALL
    - done: {return: "${r}"}
"""


def _family(call: str, args: dict[str, Any]) -> tuple[Any, float]:
    """What a parent gets from calling itself as a child; driven time."""
    clock = ManualClock(0)
    source = FAMILY.replace(
        "        CALL", f"        call: {call}\n        args: {json.dumps(args)}\n        result: r"
    )
    result = asyncio.run(run_source(source, "parent", clock=clock))
    return result, clock.now()


def test_a_workflow_runs_another_one_of_its_engine() -> None:
    """executions.run needs no configuration: it starts an execution here, waits by polling, and decodes its result."""
    result, took = _family(f"{EXECUTIONS}.run", {"workflow_id": "workflow", "argument": 3})
    assert result == 9
    assert took == pytest.approx(1 + 1.25 + 1.5625)


def test_a_child_that_fails_is_an_operation_error_with_the_execution() -> None:
    """The parent sees which execution failed, and its error."""
    with pytest.raises(WorkflowError) as failure:
        _family(f"{EXECUTIONS}.run", {"workflow_id": "workflow", "argument": -1})
    assert failure.value.tags == ("OperationError",)
    assert failure.value.payload["operation"]["state"] == "FAILED"
    assert failure.value.payload["error"]["payload"] == '"refused"'


def test_a_child_that_does_not_exist_is_an_http_error() -> None:
    """The API's answer is the error."""
    with pytest.raises(WorkflowError) as failure:
        _family(f"{EXECUTIONS}.run", {"workflow_id": "nobody"})
    assert (failure.value.tags, failure.value.payload["code"]) == (("HttpError",), 404)


def test_executions_that_are_created_are_waited_for() -> None:
    """executions.create takes its argument as JSON text and gives the execution that has ended."""
    result, took = _family(f"{EXECUTIONS}.create", {"parent": SELF, "body": {"argument": "4"}})
    assert (result["state"], result["argument"], result["result"]) == ("SUCCEEDED", "4", "16")
    assert took == pytest.approx(1 + 1.25 + 1.5625 + 1.953125)
    with pytest.raises(WorkflowError) as failure:
        _family(f"{EXECUTIONS}.create", {"parent": SELF, "body": {"argument": "-1"}})
    assert failure.value.tags == ("OperationError",)


def test_executions_are_not_waited_for_without_polling() -> None:
    """skip_polling makes create give the execution as it was started, and run nothing."""
    params = {"connector_params": {"skip_polling": True}}
    result, took = _family(f"{EXECUTIONS}.create", {"parent": SELF, "body": {"argument": "4"}, **params})
    assert (result["state"], result["argument"], took) == ("ACTIVE", "4", 0)
    assert _family(f"{EXECUTIONS}.run", {"workflow_id": "workflow", "argument": 4, **params}) == (None, 0)


def test_experimental_run_and_map_give_results_in_the_order_of_the_arguments() -> None:
    """All children of a map run at the same time."""
    assert _family("experimental.executions.run", {"workflow_id": "workflow", "argument": 2})[0] == 4
    result, took = _family("experimental.executions.map", {"workflow_id": "workflow", "arguments": [60, 1, 2]})
    assert result == [3600, 1, 4]
    assert took < 100


def test_experimental_run_fails_with_an_execution_error() -> None:
    """Its tag differs from that of the connector."""
    with pytest.raises(WorkflowError) as failure:
        _family("experimental.executions.map", {"workflow_id": "workflow", "arguments": [1, -1]})
    assert failure.value.tags == ("ExecutionError",)


def test_a_workflow_deploys_another_one_and_removes_it() -> None:
    """workflows.v1 is the engine's own as well."""
    clock = ManualClock(0)
    workflows = "googleapis.workflows.v1.projects.locations.workflows"
    steps = [
        {"at": {"assign": [{"parent": "projects/p/locations/l"}, {"name": '${parent + "/workflows/w"}'}]}},
        {
            "create": {
                "call": f"{workflows}.create",
                "args": {"parent": "${parent}", "workflowId": "w", "body": {"sourceContents": "- a: {return: 7}"}},
                "result": "created",
            }
        },
        {
            "run": {
                "call": f"{EXECUTIONS}.run",
                "args": {"workflow_id": "w", "project_id": "p", "location": "l"},
                "result": "seven",
            }
        },
        {"delete": {"call": f"{workflows}.delete", "args": {"name": "${name}"}}},
        {"list": {"call": f"{workflows}.list", "args": {"parent": "${parent}"}, "result": "left"}},
        {"done": {"return": ["${created.name}", "${seven}", '${default(map.get(left, "workflows"), [])}']}},
    ]
    result = asyncio.run(run_source(json.dumps(steps), clock=clock))
    assert result == [f"{PARENT}/workflows/w", 7, []]


class Builds:
    """A service whose operations take 100 seconds of driven time."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._end = 0.0
        self.methods: list[str] = []

    async def send(self, request: HttpRequest) -> HttpReply:
        """The operation."""
        self.methods.append(request.method)
        if request.method == "POST":
            self._end = self._clock.now() + 100
        operation = {"name": "operations/1", "done": self._clock.now() >= self._end, "response": {}}
        return HttpReply(200, {"Content-Type": "application/json"}, json.dumps(operation).encode())


async def _interrupted(folder: Path, every: int, timeout_seconds: int) -> tuple[ExecutionRecord, list[str], float]:
    """A call that takes long, its engine stopped and started again each `every` seconds."""
    clock = ManualClock(0)
    builds = Builds(clock)
    connectors = Connectors({"cloudbuild": "http://cloudbuild.test"})
    args = {"projectId": "p", "connector_params": {"timeout": timeout_seconds}}
    source = json.dumps([{"a": {"call": "googleapis.cloudbuild.v1.projects.builds.create", "args": args}}])
    store = Store(folder / "w.sqlite3")
    engine = Engine(store, clock, builds, connectors=connectors)
    engine.definitions.create(PARENT, "w", {"sourceContents": source})
    name = engine.executions.create(f"{PARENT}/workflows/w", None).name
    while engine.executions.get(name).state == "ACTIVE":
        assert clock.now() < 1000
        await clock.advance(1)
        if clock.now() % every == 0 and engine.executions.get(name).state == "ACTIVE":
            await engine.executions.close()
            store.close()
            store = Store(folder / "w.sqlite3")
            engine = Engine(store, clock, builds, connectors=connectors)
            assert engine.executions.resume() == 1
            await clock.advance(0)
    record = engine.executions.get(name)
    store.close()
    assert record.ended is not None
    return record, builds.methods, record.ended


@pytest.mark.parametrize("every", [1, 3, 7, 50, 999])
def test_polling_goes_on_after_a_restart(every: int, tmp_path: Path) -> None:
    """What was started is not started again, polls keep their times, and the end is the same."""
    record, methods, ended = asyncio.run(_interrupted(tmp_path, every, 1800))
    assert (record.state, methods.count("POST")) == ("SUCCEEDED", 1)
    assert ended == pytest.approx(sum(1.25**k for k in range(15)), abs=0.01)


def test_a_deadline_is_kept_over_restarts(tmp_path: Path) -> None:
    """The whole call has one deadline, however often it was interrupted."""
    record, _, ended = asyncio.run(_interrupted(tmp_path, 2, 20))
    assert record.error is not None
    assert "TimeoutError" in record.error["payload"]
    assert ended == pytest.approx(20)


@pytest.mark.parametrize(
    ("service", "url", "message"),
    [
        ("storages", "http://127.0.0.1:1", "no connector service 'storages'; nearest: storage"),
        ("storage", "127.0.0.1:1", "must be an http or https URL, found '127.0.0.1:1'"),
    ],
)
def test_wrong_addresses_are_refused(service: str, url: str, message: str) -> None:
    """A misspelt service would never be called, and an address needs its scheme."""
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        Connectors({service: url})


def test_public_addresses_are_for_clients_that_answer_everything() -> None:
    """With `public` a stub sees the very URL that the service would call, the region's host included."""
    clock = ManualClock()
    http = StubHttp(clock, [{"reply": {"json": {}}}, {"reply": {"json": {}}}])
    args = {"name": "projects/p/locations/r/customJobs/1", "region": "europe-west4"}
    steps = [
        {"a": {"call": "googleapis.aiplatform.v1.projects.locations.customJobs.get", "args": args}},
        {"b": {"call": "googleapis.translate.v3.projects.getSupportedLanguages", "args": {"parent": "projects/p"}}},
    ]

    async def run() -> str:
        engine = Engine(Store(None), clock, http, connectors=Connectors(public=True))
        engine.definitions.create(PARENT, "w", {"sourceContents": json.dumps(steps)})
        return (await engine.executions.wait(engine.executions.create(f"{PARENT}/workflows/w", None).name)).state

    assert asyncio.run(run()) == "SUCCEEDED"
    assert [request.url for request in http.requests] == [
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/r/customJobs/1",
        "https://translation.googleapis.com/v3/projects/p/supportedLanguages",
    ]
