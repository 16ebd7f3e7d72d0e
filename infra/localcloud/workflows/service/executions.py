"""Executions as resources: created, read, cancelled. Those that run are the `Runner`'s."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping

from ...clock import Clock
from ...http import GoogleError
from .. import limits
from ..history.entry_store import EntryRecord
from ..values import from_json, to_json
from .definitions import Definitions
from .runner import Runner
from .store import ExecutionRecord, Store

FINAL_STATES = ("SUCCEEDED", "FAILED", "CANCELLED")


class Executions:
    """All executions."""

    def __init__(self, store: Store, definitions: Definitions, clock: Clock, runner: Runner) -> None:
        self._store = store
        self._definitions = definitions
        self._clock = clock
        self._runner = runner
        definitions.on_delete = runner.stop_all_of

    # --- the API's verbs

    def create(
        self,
        workflow: str,
        argument: str | None,
        labels: Mapping[str, str] | None = None,
        call_log_level: str | None = None,
        history_level: str | None = None,
        unbuffered: bool = False,
    ) -> ExecutionRecord:
        """A new execution of the workflow's newest revision, stored before it starts. `argument` is a JSON text.

        Levels that are not given are the workflow's; `unbuffered` is kept and shown, since nothing is ever buffered.
        """
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
            history_level=history_level or resource.get("executionHistoryLevel"),
            unbuffered=unbuffered,
        )
        self._store.create_execution(record)
        self._runner.start(record.name)
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
        error = {"payload": to_json("execution cancelled"), "context": "execution cancelled"}
        cancelled = self._runner.end(record.finished("CANCELLED", self._clock.now(), error=error))
        self._runner.stop(name)
        return cancelled

    def current_steps(self, name: str) -> list[dict[str, str]]:
        """Routine and step of each frame of a running execution, outermost first."""
        run = self._runner.run_of(name)
        frames = run.main.frames if run else []
        return [{"routine": frame.routine, "step": frame.step.name} for frame in frames if frame.step]

    def history(self, name: str) -> list[EntryRecord]:
        """The step entries of an execution up to now, in the order in which they began. NOT_FOUND."""
        self.get(name)
        self._runner.flush_history(name)
        return self._store.entries.of(name)

    def history_overflow(self, name: str) -> str | None:
        """The counts of step entries beyond the limit of a history, as `Overflow.text` gives them, if there are any."""
        self._runner.flush_history(name)
        return self._store.entries.overflow(name)

    def delete_history(self, name: str) -> None:
        """Forget the step entries of an execution. NOT_FOUND, FAILED_PRECONDITION while it is ACTIVE."""
        if self.get(name).state not in FINAL_STATES:
            raise GoogleError("FAILED_PRECONDITION", f"execution {name} is ACTIVE; cancel it first, or wait")
        self._store.entries.delete(name)

    @property
    def computing(self) -> bool:
        """Whether any execution has steps to run right now, rather than something to wait for."""
        return self._runner.computing

    @property
    def steps_run(self) -> int:
        """How many steps the running executions have run; while it changes, they do not only wait."""
        return self._runner.steps_run

    async def wait(self, name: str) -> ExecutionRecord:
        """The execution once it has ended."""
        await self._runner.ended(name)
        return self.get(name)

    # --- life of the process

    def resume(self) -> int:
        """Go on with every execution that had not ended when the process did; how many there are."""
        return self._runner.resume()

    async def close(self) -> None:
        """Stop working on executions; they stay ACTIVE and go on after the next start."""
        await self._runner.close()


def _check_argument(argument: str) -> None:
    # Differs: the API refuses more than 32 KB and only events may bring 512 KB; local events come through the API.
    if len(argument.encode()) > limits.ARGUMENT_BYTES:
        raise GoogleError("INVALID_ARGUMENT", f"argument has more than {limits.ARGUMENT_BYTES} bytes")
    try:
        from_json(argument)
    except ValueError as error:
        raise GoogleError("INVALID_ARGUMENT", f"argument must be a JSON text: {error}") from error
