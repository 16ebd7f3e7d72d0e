"""Running one definition inside a test or a script, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ..clock import Clock, ManualClock, RealClock
from .api.rest_api import rest_application
from .engine import Engine
from .errors import WorkflowError
from .language.parser import parse
from .running.http_client import HttpClient, RealHttpClient
from .running.observer import Observer
from .service.own_api import OwnApi, with_own_services
from .service.store import Store
from .values import from_json, to_json

_PROJECT, _LOCATION = "local-project", "local-location"
_PARENT = f"projects/{_PROJECT}/locations/{_LOCATION}"
# How long real answers are waited for before driven time is looked at again.
_POLL_SECONDS = 0.001


async def run_source(
    source: str,
    argument: Any = None,
    *,
    clock: Clock | None = None,
    env: Mapping[str, str] | None = None,
    http: HttpClient | None = None,
    observer: Observer | None = None,
    connectors: Mapping[str, str] | None = None,
) -> Any:
    """What `main` returns for `argument` (None: no argument); `env` becomes the user environment variables.

    With a `ManualClock` time is driven from here: whenever nothing but the clock is waited for, it moves to the next
    deadline, so that hours of sleeping take milliseconds. `http` answers requests in place of the network, `observer`
    is told what happens, `connectors` says where services answer, such as `{"storage": "http://127.0.0.1:9000"}`.
    SourceError when the definition is refused, WorkflowError when the execution fails; the host's ValueError for an
    address of a service that has no connector.
    """
    parse(source)
    clock = clock or RealClock()
    network = RealHttpClient()
    store = Store(None)
    client = OwnApi(http or network)
    services = with_own_services(connectors or {})
    # Nobody can ask for step entries afterwards.
    engine = Engine(store, clock, client, observe=lambda execution: observer, connectors=services, history=False)
    client.serve(lambda: rest_application(engine, _PROJECT, _LOCATION))
    try:
        fields = {"sourceContents": source, "userEnvVars": dict(env or {})}
        engine.definitions.create(_PARENT, "workflow", fields)
        text = None if argument is None else to_json(argument)
        record = engine.executions.create(f"{_PARENT}/workflows/workflow", text)
        ended = asyncio.ensure_future(engine.executions.wait(record.name))
        if isinstance(clock, ManualClock):
            await drive(clock, engine, ended, network)
        record = await ended
    finally:
        await engine.executions.close()
        await network.close()
        store.close()
    if record.state == "SUCCEEDED":
        return from_json(record.result or "null")
    assert record.error is not None
    raise ExecutionFailed(from_json(record.error["payload"]), record.error["context"])


class ExecutionFailed(WorkflowError):
    """A failed execution's error, with the context that the API would show."""

    def __init__(self, payload: Any, context: str) -> None:
        super().__init__(payload)
        self._context = context

    def context(self) -> str:
        """Headline and frames."""
        return self._context


async def drive(clock: ManualClock, engine: Engine, ended: asyncio.Future[Any], network: RealHttpClient) -> None:
    """Move time to the next deadline whenever nothing but the clock is waited for, until `ended` is done."""
    while not ended.done():
        if network.in_flight or engine.executions.computing:
            await asyncio.wait([ended], timeout=_POLL_SECONDS)
            continue
        await clock.settle(lambda: engine.executions.steps_run)
        deadline = clock.next_deadline()
        if deadline is not None and not ended.done() and not network.in_flight and not engine.executions.computing:
            await clock.advance(deadline - clock.now())
