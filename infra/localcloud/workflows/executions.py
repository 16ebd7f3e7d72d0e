"""Executions: started, journaled, resumed after a restart, cancelled. One asyncio task each while they run."""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from ..clock import Clock
from ..http import GoogleError
from . import limits
from .callbacks import Callbacks
from .definitions import Definitions, program_of
from .errors import WorkflowError, tagged
from .http_client import HttpClient, within
from .journal import Journal
from .runtime import Run
from .steps import run_routine
from .store import ExecutionRecord, Store
from .values import from_json, to_json

LOG = logging.getLogger("localcloud.workflows")
FINAL_STATES = ("SUCCEEDED", "FAILED", "CANCELLED")


class Executions:
    """All executions. Those that run are tasks; finished ones are rows."""

    def __init__(
        self, store: Store, definitions: Definitions, callbacks: Callbacks, clock: Clock, http: HttpClient
    ) -> None:
        self._store = store
        self._definitions = definitions
        self._callbacks = callbacks
        self._clock = clock
        self._http = http
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._runs: dict[str, Run] = {}
        definitions.on_delete = self._stop_all_of

    # --- the API's verbs

    def create(
        self,
        workflow: str,
        argument: str | None,
        labels: Mapping[str, str] | None = None,
        call_log_level: str | None = None,
    ) -> ExecutionRecord:
        """A new execution of the workflow's newest revision, stored before it starts. `argument` is a JSON text."""
        resource = self._definitions.get(workflow)
        if argument is not None:
            _check_argument(argument)
        record = ExecutionRecord(
            name=f"{workflow}/executions/{uuid.uuid4()}",
            workflow=workflow,
            revision=resource["revisionId"],
            state="ACTIVE",
            argument=argument,
            result=None,
            error=None,
            labels={**resource.get("labels", {}), **(labels or {})},
            call_log_level=call_log_level or resource.get("callLogLevel"),
            created=self._clock.now(),
            ended=None,
        )
        self._store.create_execution(record)
        self._start(record)
        return record

    def get(self, name: str) -> ExecutionRecord:
        """An execution. NOT_FOUND."""
        record = self._store.execution(name)
        if record is None:
            raise GoogleError("NOT_FOUND", f"execution {name} does not exist")
        return record

    def of_workflow(self, workflow: str) -> Iterator[ExecutionRecord]:
        """All executions of a workflow, newest first. NOT_FOUND when the workflow does not exist."""
        self._definitions.get(workflow)
        return self._store.executions(workflow)

    def cancel(self, name: str) -> ExecutionRecord:
        """The cancelled execution. FAILED_PRECONDITION when it has ended."""
        record = self.get(name)
        if record.state in FINAL_STATES:
            raise GoogleError("FAILED_PRECONDITION", f"execution {name} has ended as {record.state}")
        self._stop(name)
        error = {"payload": to_json("execution cancelled"), "context": "execution cancelled"}
        return self._finish(record.finished("CANCELLED", self._clock.now(), error=error))

    def current_steps(self, name: str) -> list[dict[str, str]]:
        """Routine and step of each frame of a running execution, outermost first."""
        run = self._runs.get(name)
        frames = run.main.frames if run else []
        return [{"routine": frame.routine, "step": frame.step.name} for frame in frames if frame.step]

    @property
    def computing(self) -> bool:
        """Whether any execution has steps to run right now, rather than something to wait for."""
        return any(run.pausing for run in self._runs.values())

    async def wait(self, name: str) -> ExecutionRecord:
        """The execution once it has ended."""
        task = self._tasks.get(name)
        if task is not None:
            await asyncio.wait([task])
        return self.get(name)

    # --- life of the process

    def resume(self) -> int:
        """Go on with every execution that had not ended when the process did; how many there are."""
        records = self._store.active_executions()
        for record in records:
            self._start(record)
        return len(records)

    async def close(self) -> None:
        """Stop working on executions; they stay ACTIVE and go on after the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- one execution

    def _start(self, record: ExecutionRecord) -> None:
        task = asyncio.get_running_loop().create_task(self._execute(record), name=record.name)
        self._tasks[record.name] = task
        task.add_done_callback(lambda done: self._forget(record.name, done))

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        self._runs.pop(name, None)
        if not task.cancelled() and task.exception() is not None:
            LOG.error("execution lost", exc_info=task.exception(), extra={"fields": {"execution": name}})

    def _stop(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    def _stop_all_of(self, workflow: str) -> None:
        for name in [name for name in self._tasks if name.startswith(f"{workflow}/executions/")]:
            self._stop(name)

    async def _execute(self, record: ExecutionRecord) -> None:
        try:
            run, arguments = self._prepare(record)
            self._runs[record.name] = run
            result = await within(
                self._clock,
                record.created + limits.DURATION_SECONDS - self._clock.now(),
                run.result(arguments),
                "the execution",
            )
            text = to_json(result)
        except WorkflowError as error:
            self._finish(record.finished("FAILED", self._clock.now(), error=_error_resource(error)))
        except Exception as error:  # a mistake of ours must not leave an execution ACTIVE for ever
            LOG.error("internal error", exc_info=error, extra={"fields": {"execution": record.name}})
            failure = tagged("SystemError", f"internal error of the local engine: {error!r}")
            self._finish(record.finished("FAILED", self._clock.now(), error=_error_resource(failure)))
        else:
            self._finish(record.finished("SUCCEEDED", self._clock.now(), result=text))

    def _prepare(self, record: ExecutionRecord) -> tuple[Run, dict[str, Any]]:
        resource = self._definitions.get(record.workflow, record.revision)
        program = program_of(resource["sourceContents"])
        records = self._store.journal(record.name)
        _log_state(record, f"execution {'resumed' if records else 'started'}")
        run = Run(
            execution=record.name,
            program=program,
            environment={**resource.get("userEnvVars", {}), **_built_in_environment(record, resource)},
            clock=self._clock,
            http=self._http,
            callbacks=self._callbacks,
            journal=Journal(functools.partial(self._store.append_journal, record.name), records),
            perform=run_routine,
        )
        parameters = program.main.parameters
        argument = from_json(record.argument) if record.argument is not None else None
        passed = bool(parameters) and (record.argument is not None or parameters[0].default is None)
        return run, {parameters[0].name: argument} if passed else {}

    def _finish(self, record: ExecutionRecord) -> ExecutionRecord:
        self._store.finish_execution(record)
        _log_state(record, f"execution {record.state.lower()}")
        return record


def _check_argument(argument: str) -> None:
    # Differs: the API refuses more than 32 KB and only events may bring 512 KB; local events come through the API.
    if len(argument.encode()) > limits.ARGUMENT_BYTES:
        raise GoogleError("INVALID_ARGUMENT", f"argument has more than {limits.ARGUMENT_BYTES} bytes")
    try:
        from_json(argument)
    except ValueError as error:
        raise GoogleError("INVALID_ARGUMENT", f"argument must be a JSON text: {error}") from error


def _error_resource(error: WorkflowError) -> dict[str, Any]:
    try:
        payload = to_json(error.payload)
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


def _built_in_environment(record: ExecutionRecord, resource: Mapping[str, Any]) -> dict[str, str]:
    _, project, _, location, _, workflow, _, execution = record.name.split("/")
    default_account = f"local-workflows@{project}.iam.gserviceaccount.com"
    return {
        "GOOGLE_CLOUD_LOCATION": location,
        "GOOGLE_CLOUD_PROJECT_ID": project,
        # Differs: local projects have no number.
        "GOOGLE_CLOUD_PROJECT_NUMBER": "0",
        "GOOGLE_CLOUD_SERVICE_ACCOUNT_NAME": resource.get("serviceAccount", default_account).rpartition("/")[2],
        "GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID": execution,
        "GOOGLE_CLOUD_WORKFLOW_ID": workflow,
        "GOOGLE_CLOUD_WORKFLOW_REVISION_ID": record.revision,
    }


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
