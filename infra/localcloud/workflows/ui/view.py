"""What the page of an execution shows, taken from a running engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine import Engine
from ..history.entry_store import EntryRecord


@dataclass(frozen=True)
class ExecutionView:
    """An execution with its history and the source that it runs. Times are seconds since the epoch.

    `argument` and `result` are JSON texts, `error` the API's Error. `now` stands in for the end of one under way.
    `overflow` are the counts of entries beyond the history's limit, as `Overflow.text` gives them.
    """

    name: str
    state: str
    revision: str
    created: float
    ended: float | None
    now: float
    labels: Mapping[str, str]
    argument: str | None
    result: str | None
    error: Mapping[str, Any] | None
    source: str
    detailed: bool
    entries: Sequence[EntryRecord]
    overflow: str | None = None

    @property
    def until(self) -> float:
        """Its end, or now."""
        return self.now if self.ended is None else self.ended


def execution_view(engine: Engine, name: str) -> ExecutionView:
    """The view of an execution, as it is now. NOT_FOUND."""
    record = engine.executions.get(name)
    workflow = engine.definitions.get(record.workflow, record.revision)
    return ExecutionView(
        name=record.name,
        state=record.state,
        revision=record.revision,
        created=record.created,
        ended=record.ended,
        now=engine.clock.now(),
        labels=record.labels,
        argument=record.argument,
        result=record.result,
        error=record.error,
        source=workflow["sourceContents"],
        detailed=record.history_level == "EXECUTION_HISTORY_DETAILED",
        entries=engine.executions.history(name),
        overflow=engine.executions.history_overflow(name),
    )
