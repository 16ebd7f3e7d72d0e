"""One execution on a whole engine in this process: real requests, callback URLs that answer, real or driven time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...clock import Clock, ManualClock
from ...http import answering
from ...process import LOOPBACK, listen
from ..api.rest_api import rest_application
from ..engine import Engine
from ..errors import WorkflowError
from ..history.recorder import DETAILED
from ..in_process import ExecutionFailed, drive
from ..running.http_client import RealHttpClient
from ..service.own_api import with_own_services
from ..service.store import Store
from ..ui import execution_page, execution_view
from ..values import from_json
from .trace import Trace

_PROJECT, _LOCATION = "local-project", "us-central1"
_PARENT = f"projects/{_PROJECT}/locations/{_LOCATION}"


@dataclass(frozen=True)
class Ended:
    """What an execution came to: a result, or an error; and its page, if it was wanted."""

    result: Any
    error: WorkflowError | None
    page: str | None


class UnknownService(Exception):
    """An address was given for a service that has no connector, or is no address."""


@dataclass(frozen=True)
class Execution:
    """What is to be run: a source that is known to parse, an argument as JSON text, addresses by service.

    `hosts` are those that requests may go to, None for all. `wants_page`: an HTML page of it is to be made, with the
    values of every step.
    """

    workflow: str
    source: str
    argument: str | None
    environment: Mapping[str, str]
    services: Mapping[str, str]
    hosts: Sequence[str] | None
    wants_page: bool


async def execute(what: Execution, clock: Clock, trace: Trace) -> Ended:
    """Run it; a `ManualClock` is driven.

    GoogleError when a name, a variable or the argument is refused; UnknownService.
    """
    port = listen()
    address = f"http://{LOOPBACK}:{port.getsockname()[1]}"
    try:
        connectors = with_own_services(what.services, address)
    except ValueError as error:
        raise UnknownService(str(error)) from error
    network = RealHttpClient(connectors.reachable(what.hosts))
    store = Store(None)
    engine = Engine(store, clock, network, address, observe=lambda execution: trace, connectors=connectors)
    try:
        async with answering(rest_application(engine, _PROJECT, _LOCATION), port):
            fields = {"sourceContents": what.source, "userEnvVars": dict(what.environment)}
            engine.definitions.create(_PARENT, what.workflow, fields)
            level = DETAILED if what.wants_page else None
            record = engine.executions.create(
                f"{_PARENT}/workflows/{what.workflow}", what.argument, history_level=level
            )
            ended = asyncio.ensure_future(engine.executions.wait(record.name))
            if isinstance(clock, ManualClock):
                await drive(clock, engine, ended, network)
            record = await ended
            page = execution_page(execution_view(engine, record.name)) if what.wants_page else None
    finally:
        await engine.executions.close()
        await network.close()
        store.close()
    if record.error is None:
        return Ended(from_json(record.result or "null"), None, page)
    # The error that left main knows its frames; what came of it afterwards (a result that is no JSON) does not.
    failure = trace.error or ExecutionFailed(from_json(record.error["payload"]), record.error["context"])
    return Ended(None, failure, page)
