"""The two ways to run a case: inside this process, and as a client of the REST API does. Time is driven in both."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from workflows_corpus import Case
from workflows_stub import StubHttp

from localcloud.clock import ManualClock
from localcloud.workflows import SourceError, WorkflowError, run_source
from localcloud.workflows.api.rest_api import rest_application
from localcloud.workflows.engine import Engine
from localcloud.workflows.errors import Position
from localcloud.workflows.service.store import Store
from localcloud.workflows.values import to_json

_LOCATION = "/v1/projects/p/locations/l"
_PAUSE_SECONDS = 0.0005


@dataclass(frozen=True)
class Succeeded:
    """An execution's result."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """An execution's error: the raised value, and the text with the frames."""

    payload: Any
    context: str


@dataclass(frozen=True)
class Refused:
    """A definition that could not be deployed; `places` only where the API has them apart from the message."""

    message: str
    places: tuple[Position, ...] | None


Outcome = Succeeded | Failed | Refused


def in_process(case: Case, clock: ManualClock, http: StubHttp) -> Outcome:
    """How the case ends with `run_source`."""
    try:
        return Succeeded(asyncio.run(run_source(case.text(), case.argument, clock=clock, env=case.env, http=http)))
    except SourceError as refusal:
        return Refused(str(refusal), tuple(problem.position for problem in refusal.problems))
    except WorkflowError as failure:
        return Failed(failure.payload, failure.context())


def over_rest(case: Case, clock: ManualClock, http: StubHttp) -> Outcome:
    """How the case ends when it is deployed, executed and polled as a client does."""
    return asyncio.run(_over_rest(case, clock, http))


async def _over_rest(case: Case, clock: ManualClock, http: StubHttp) -> Outcome:
    store = Store(None)
    engine = Engine(store, clock, http, "http://local")
    transport = httpx.ASGITransport(rest_application(engine, "p", "l"))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://local", trust_env=False) as client:
            return await _executed(case, _Driven(client, engine, clock))
    finally:
        await engine.executions.close()
        store.close()


@dataclass(frozen=True)
class _Driven:
    """A client, and the time of the server that it talks to."""

    client: httpx.AsyncClient
    engine: Engine
    clock: ManualClock

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        reply = await self.client.request(method, path, **options)
        return reply.status_code, reply.json()

    async def settle(self) -> None:
        """Let the server go on until it only waits."""
        executions = self.engine.executions
        await self.clock.settle(lambda: executions.steps_run)
        while executions.computing:
            await asyncio.sleep(_PAUSE_SECONDS)
            await self.clock.settle(lambda: executions.steps_run)

    async def move(self, until: float = math.inf) -> None:
        """Move time to the next deadline, at most to `until`."""
        deadline = self.clock.next_deadline()
        target = until if deadline is None else min(deadline, until)
        await self.clock.advance(max(0.0, target - self.clock.now()))
        await self.settle()


async def _executed(case: Case, server: _Driven) -> Outcome:
    body: dict[str, Any] = {"sourceContents": case.text(), "userEnvVars": case.env or {}}
    status, operation = await server.call("POST", f"{_LOCATION}/workflows?workflowId=w", json=body)
    if status != 200:
        error = operation["error"]
        assert (status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT"), operation
        return Refused(error["message"], None)
    status, operation = await server.call("GET", f"/v1/{operation['name']}")
    assert (status, operation["done"], "error" in operation) == (200, True, False), operation
    argument = {} if case.argument is None else {"argument": to_json(case.argument)}
    status, execution = await server.call("POST", f"{_LOCATION}/workflows/w/executions", json=argument)
    assert (status, execution["state"]) == (200, "ACTIVE"), execution
    await _call_back(case, execution["name"], server)
    await server.settle()
    while (execution := (await server.call("GET", f"/v1/{execution['name']}"))[1])["state"] == "ACTIVE":
        await server.move()
    if execution["state"] == "SUCCEEDED":
        assert "error" not in execution
        return Succeeded(json.loads(execution["result"]))
    assert (execution["state"], "result" in execution) == ("FAILED", False), execution
    return Failed(json.loads(execution["error"]["payload"]), execution["error"]["context"])


async def _call_back(case: Case, execution: str, server: _Driven) -> None:
    """Make the requests of `callers`, each at its time, to the endpoints that the execution has made by then."""
    start = server.clock.now()
    for caller in case.callers:
        await server.settle()
        while server.clock.now() < start + caller["at"]:
            await server.move(start + caller["at"])
        _, listing = await server.call("GET", f"/v1/{execution}/callbacks")
        method = caller.get("method", "POST")
        names = {callback["method"]: callback["name"] for callback in reversed(listing["callbacks"])}
        name = names.get(caller.get("endpoint", method), listing["callbacks"][0]["name"])
        content = caller["text"].encode() if "text" in caller else None
        headers = {"Content-Type": caller.get("type", "text/plain")} if content is not None else None
        options = {"params": caller.get("query"), "json": caller.get("json"), "content": content, "headers": headers}
        status, answer = await server.call(method, f"/v1/{name}", **options)
        assert status == caller.get("status", 200), answer


HOSTS: Mapping[str, Callable[[Case, ManualClock, StubHttp], Outcome]] = {"in process": in_process, "rest": over_rest}
