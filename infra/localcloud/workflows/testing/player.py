"""Playing a case: the definition really runs, with simulated time and mocks in place of the world."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ...clock import ManualClock
from ...http import GoogleError
from ..connectors import Connectors
from ..errors import WorkflowError
from ..language.syntax import Program
from ..running.journal import Commit, Journal
from ..running.observer import Observer, together
from ..running.runtime import Run, Turns
from ..running.steps import run_routine
from ..service.callbacks import Callbacks
from ..service.store import Store
from ..values import to_json
from .cases import CallbackRequest, Case, Mock
from .following import Following, RunStep, current_entry
from .mocks import MadeCall, MockedHttp, Unanswered
from .world import environment, execution_name

_BASE_URL = "http://callbacks.test"


@dataclass(frozen=True)
class Outcome:
    """What came of a case. Exactly one of `result` (in a tuple of one), `error` and `unanswered` is there."""

    result: tuple[Any] | None
    error: WorkflowError | None
    unanswered: MadeCall | None
    calls: tuple[MadeCall, ...]
    steps: tuple[RunStep, ...]
    elapsed_seconds: float
    unused: tuple[Mock, ...]
    refused_callbacks: tuple[tuple[CallbackRequest, str], ...]


def play(workflow: str, program: Program, case: Case, observers: Sequence[Observer] = ()) -> Outcome:
    """Run a case of the definition called `workflow`; `observers` are told, too."""
    return asyncio.run(_play(workflow, program, case, observers))


async def _play(workflow: str, program: Program, case: Case, observers: Sequence[Observer]) -> Outcome:
    clock = ManualClock(case.start)
    http = MockedHttp(clock, case.start, case.mocks)
    following = Following()
    store = Store(None)
    execution = execution_name(workflow)
    endpoints = _Endpoints(Callbacks(store, clock, lambda: _BASE_URL), execution)
    run = Run(
        execution=execution,
        program=program,
        environment=environment(workflow, case.environment),
        clock=clock,
        http=http,
        callbacks=endpoints,
        journal=Journal(_forget),
        perform=run_routine,
        turns=Turns(),
        # Requests go to the services' public addresses, which the mocks answer.
        connectors=Connectors(public=True),
        observer=together([following, *observers]),
    )
    callers = [asyncio.create_task(endpoints.request(clock, request)) for request in case.callbacks]
    working = asyncio.ensure_future(run.perform(run.main, program.routines[case.routine], case.arguments))
    result: tuple[Any] | None = None
    failure: WorkflowError | None = None
    try:
        await _drive(clock, run, working)
        result = (await working,)
        if case.routine == "main":
            to_json(result[0])  # what an execution returns must be JSON
    except WorkflowError as error:
        result, failure = None, error
    except Unanswered:
        pass  # `http` has it
    finally:
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        store.close()
    if http.unanswered is not None:
        result, failure = None, None
    return Outcome(
        result=result,
        error=failure,
        unanswered=http.unanswered,
        calls=tuple(http.calls),
        steps=tuple(following.steps),
        elapsed_seconds=round(clock.now() - case.start, 6),
        unused=http.unused(),
        refused_callbacks=tuple(endpoints.refused),
    )


async def _drive(clock: ManualClock, run: Run, working: asyncio.Future[Any]) -> None:
    """Move time to the next deadline whenever nothing else is left to do, until the work is done."""
    while not working.done():
        await clock.settle(lambda: run.steps)
        deadline = clock.next_deadline()
        if deadline is not None and not working.done() and not run.turns.waiting:
            await clock.advance(deadline - clock.now())


def _forget(number: int, path: str, outcome: str, and_then: Commit | None) -> None:
    """Nothing is resumed here, so nothing is kept but what goes with it."""
    if and_then is not None:
        and_then()


class _Endpoints:
    """The callback endpoints of the execution, by the step that made them, and the requests to them."""

    def __init__(self, callbacks: Callbacks, execution: str) -> None:
        self._callbacks = callbacks
        self._execution = execution
        self._made: list[tuple[RunStep, str]] = []
        self.refused: list[tuple[CallbackRequest, str]] = []

    def create(self, execution: str, method: str) -> str:
        """The URL of a new endpoint."""
        url = self._callbacks.create(execution, method)
        entry = current_entry()
        if entry is not None:
            self._made.append((RunStep(entry.routine, entry.name), url))
        return url

    async def wait(self, execution: str, url: str, deadline: float) -> tuple[dict[str, Any], Commit]:
        """The next request."""
        return await self._callbacks.wait(execution, url, deadline)

    async def request(self, clock: ManualClock, request: CallbackRequest) -> None:
        """Call an endpoint when its time has come; what went wrong goes to `refused`."""
        await clock.sleep(request.at_seconds)
        fitting = [url for step, url in self._made if request.endpoint in (None, step.name, str(step))]
        if not fitting:
            made = ", ".join(str(step) for step, _ in self._made) or "none"
            self.refused.append(
                (request, f"there is no such endpoint at {request.at_seconds:g} s; made so far: {made}")
            )
        elif len(fitting) > 1 and request.endpoint is None:
            made = ", ".join(str(step) for step, _ in self._made)
            self.refused.append((request, f"say in `endpoint` which one is meant: {made}"))
        else:
            self._receive(fitting[-1], request)

    def _receive(self, url: str, request: CallbackRequest) -> None:
        try:
            self._callbacks.receive(self._execution, url.rpartition("/")[2], _as_received(url, request))
        except GoogleError as error:
            self.refused.append((request, error.message))


def _as_received(url: str, request: CallbackRequest) -> Mapping[str, Any]:
    """The request as `await_callback` shows it."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(json.dumps(request.body)))}
    given = {"-".join(part.capitalize() for part in key.split("-")): value for key, value in request.headers.items()}
    return {
        "body": request.body,
        "headers": {**(headers if request.body is not None else {}), **given},
        "method": request.method,
        "query": dict(request.query),
        "url": f"{url}?{urlencode(request.query)}" if request.query else url,
    }
