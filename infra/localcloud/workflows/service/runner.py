"""Executions while they run: one asyncio task each, resumed after a restart, ended when their time is over."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ...clock import Clock
from .. import limits
from ..connectors import Connectors
from ..errors import WorkflowError, tagged, timeout_error
from ..history.call_log import ALL_CALLS, ERRORS_ONLY, CallLog
from ..history.recorder import DETAILED, History, Recorder
from ..running.http_client import HttpClient
from ..running.journal import Append, Commit, Journal
from ..running.observer import Observer, together
from ..running.runtime import Run, Turns
from ..running.steps import run_routine
from ..values import from_json, to_json, without_bytes
from .callbacks import Callbacks
from .definitions import Definitions
from .store import ExecutionRecord, NotStored, Store

LOG = logging.getLogger("localcloud.workflows")
# After a failure to write, an execution goes on from its journal this much later.
STORAGE_PAUSE_SECONDS = 2.0


class Runner:
    """The tasks of all running executions. Names are those of stored, ACTIVE executions.

    `observe` gives an observer for one that starts or goes on, by its name.
    """

    def __init__(
        self,
        store: Store,
        definitions: Definitions,
        callbacks: Callbacks,
        clock: Clock,
        http: HttpClient,
        observe: Callable[[str], Observer | None],
        connectors: Connectors,
        *,
        keeps_history: bool,
    ) -> None:
        self._store = store
        self._definitions = definitions
        self._callbacks = callbacks
        self._clock = clock
        self._http = http
        self._observe = observe
        self._connectors = connectors
        self._turns = Turns()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._runs: dict[str, Run] = {}
        self._history = History(store.entries, clock)
        self._keeps_history = keeps_history
        self._resuming: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    # --- one execution, seen from outside

    def start(self, name: str) -> None:
        """Run an execution, from where its journal ends."""
        self._tasks[name] = asyncio.create_task(self._execute(name), name=name)
        if self._watching is None or self._watching.done() or self._watching.cancelling():
            self._watching = asyncio.create_task(self._watch_durations())

    def stop(self, name: str) -> None:
        """Stop working on an execution, if it runs."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    def stop_all_of(self, workflow: str) -> None:
        """Stop working on all executions of a workflow."""
        for name in [name for name in self._tasks if name.startswith(f"{workflow}/executions/")]:
            self.stop(name)

    def end(self, record: ExecutionRecord) -> ExecutionRecord:
        """Store and log a final state."""
        recorder = self._history.of(record.name)
        if recorder is None:
            self._store.finish_execution(record)
        else:
            record = replace(record, last_steps=recorder.last_steps)
            self._store.finish_execution(record, recorder.flush_all)
            self._history.forget(record.name)
        _log_state(record, f"execution {record.state.lower()}")
        return record

    async def ended(self, name: str) -> None:
        """Return when no work is done on an execution any more."""
        if self._resuming is not None:
            await asyncio.wait([self._resuming])
        task = self._tasks.get(name)
        if task is not None:
            await asyncio.wait([task])

    def run_of(self, name: str) -> Run | None:
        """The state of a running execution."""
        return self._runs.get(name)

    def flush_history(self, name: str) -> None:
        """Write the step entries that a running execution still has in memory."""
        recorder = self._history.of(name)
        if recorder is not None:
            recorder.flush_all()

    @property
    def computing(self) -> bool:
        """Whether any execution has steps to run right now, rather than something to wait for."""
        resuming = self._resuming is not None and not self._resuming.done()
        return resuming or self._turns.waiting > 0

    @property
    def steps_run(self) -> int:
        """How many steps the running executions have run; while it changes, they do not only wait."""
        return sum(run.steps for run in self._runs.values())

    # --- life of the process

    def resume(self) -> int:
        """Go on with every execution that had not ended when the process did; how many there are."""
        names = self._store.active_executions()
        if names:
            self._resuming = asyncio.create_task(self._resume_in_turn(names))
        return len(names)

    async def _resume_in_turn(self, names: list[str]) -> None:
        for name in names:
            self.start(name)
            # One at a time, so that a server with thousands of them answers meanwhile.
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Stop working on executions; they stay ACTIVE and go on after the next start."""
        if self._resuming is not None:
            self._resuming.cancel()
            await asyncio.wait([self._resuming])
        tasks = list(self._tasks.values())
        if self._watching is not None:
            tasks.append(self._watching)
        self._history.flush()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch_durations(self) -> None:
        """Fail executions that are older than any may become. One timer, that of the oldest, is enough for all."""
        while (oldest := self._store.oldest_active()) is not None:
            await self._clock.sleep_until(oldest + limits.DURATION_SECONDS)
            for name in self._store.active_executions(max(oldest, self._clock.now() - limits.DURATION_SECONDS)):
                record = self._store.execution(name)
                assert record is not None
                error = timeout_error(f"the execution did not end within {limits.DURATION_SECONDS} seconds")
                self.end(record.finished("FAILED", self._clock.now(), error=_error_resource(error)))
                self.stop(name)

    # --- inside the task of an execution

    def _forget(self, name: str) -> None:
        if self._tasks.get(name) is asyncio.current_task():
            del self._tasks[name]
        self._runs.pop(name, None)
        self._history.forget(name)
        if not self._tasks and self._watching is not None:
            self._watching.cancel()

    async def _execute(self, name: str) -> None:
        try:
            while True:
                try:
                    await self._run(name)
                    return
                except NotStored as error:
                    # What was not written has not happened: go on from the journal, as after a restart.
                    LOG.error("%s", error.message, extra={"fields": {"execution": name}})
                await self._clock.sleep(STORAGE_PAUSE_SECONDS)
        except Exception as error:
            LOG.error("execution lost", exc_info=error, extra={"fields": {"execution": name}})
            raise
        finally:
            self._forget(name)

    async def _run(self, name: str) -> None:
        record = self._store.execution(name)
        if record is None or record.state != "ACTIVE":
            return  # deleted or cancelled while it waited for its turn to be resumed
        try:
            working = self._begin(record)
            del record  # while the execution waits, its argument is not kept
            changes: dict[str, Any] = {"state": "SUCCEEDED", "result": to_json(await working)}
        except WorkflowError as error:
            changes = {"state": "FAILED", "error": _error_resource(error)}
        except NotStored:
            raise
        except Exception as error:  # a mistake of ours must not leave an execution ACTIVE for ever
            LOG.error("internal error", exc_info=error, extra={"fields": {"execution": name}})
            failure = tagged("SystemError", f"internal error of the local engine: {error!r}")
            changes = {"state": "FAILED", "error": _error_resource(failure)}
        record = self._store.execution(name)
        assert record is not None
        self.end(record.finished(ended=self._clock.now(), **changes))

    def _begin(self, record: ExecutionRecord) -> Any:
        """What will give the result of an execution."""
        deployed = self._definitions.deployed(record.workflow, record.revision)
        records = self._store.journal(record.name)
        _log_state(record, f"execution {'resumed' if records else 'started'}")
        append: Append = functools.partial(self._store.append_journal, record.name)
        observers: list[Observer] = []
        recorder: Recorder | None = None
        if self._keeps_history:
            recorder = self._history.start(record.name, detailed=record.history_level == DETAILED)
            append = functools.partial(self._append, record.name, recorder)
            observers.append(recorder)
        journal = Journal(append, records)
        observers += self._further_observers(record, journal)
        run = self._runs[record.name] = Run(
            execution=record.name,
            program=deployed.program,
            environment={
                **deployed.environment,
                "GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID": record.name.rpartition("/")[2],
            },
            clock=self._clock,
            http=self._http,
            callbacks=self._callbacks,
            journal=journal,
            perform=run_routine,
            turns=self._turns,
            connectors=self._connectors,
            observer=together(observers),
            tally=recorder if observers == [recorder] and recorder and not recorder.wants_values else None,
        )
        parameters = deployed.program.main.parameters
        argument = from_json(record.argument) if record.argument is not None else None
        passed = bool(parameters) and (record.argument is not None or parameters[0].default is None)
        return run.result({parameters[0].name: argument} if passed else {})

    def _further_observers(self, record: ExecutionRecord, journal: Journal) -> Iterator[Observer]:
        if record.call_log_level in (ALL_CALLS, ERRORS_ONLY):
            yield CallLog(record, self._clock, lambda: journal.replaying)
        observer = self._observe(record.name)
        if observer is not None:
            yield observer

    def _append(
        self, name: str, recorder: Recorder, number: int, path: str, outcome: str, and_then: Commit | None
    ) -> None:
        """Write a journal record, the step entries that led to it, and what `and_then` writes, in one transaction."""

        def write() -> None:
            recorder.flush()
            if and_then is not None:
                and_then()

        self._store.append_journal(name, number, path, outcome, write if recorder.changed else and_then)


def _error_resource(error: WorkflowError) -> dict[str, Any]:
    try:
        payload = to_json(without_bytes(error.payload))
    except WorkflowError as unwritable:
        payload = to_json(unwritable.payload)
    elements = [
        {
            "step": element.step,
            "routine": element.routine,
            "position": {"line": str(element.position.line), "column": str(element.position.column), "length": "0"},
        }
        for element in error.trace or ()
    ]
    return {"payload": payload, "context": error.context(), "stackTrace": {"elements": elements}}


def _log_state(record: ExecutionRecord, message: str) -> None:
    fields: dict[str, Any] = {
        "workflow": record.workflow.rpartition("/")[2],
        "execution": record.name.rpartition("/")[2],
        "state": record.state,
    }
    if record.error:
        fields["context"] = record.error["context"]
    level = logging.ERROR if record.state == "FAILED" else logging.INFO
    LOG.log(level, message, extra={"fields": fields})
