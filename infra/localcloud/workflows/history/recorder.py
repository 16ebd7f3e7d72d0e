"""Step history: the entries of one execution, as they are told by the engine, on their way to the store.

Entries wait in memory until something else is written anyway: they go along with the next journal record, or with the
end of the execution. So history hardly costs a transaction of its own, and after a crash the entries fit the journal:
what is run again from recorded outcomes keeps the number and the times that it has in the store. What is left when an
execution waits is written a moment later, for all executions together (`History`), or when somebody reads it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, Final

from ...clock import Clock
from .. import limits
from ..errors import WorkflowError
from ..language.syntax import Step
from ..running.control import Control
from ..running.observer import Entry, Kind, ValueKind
from ..service.store import NotStored
from ..values import to_json, without_bytes
from .entry_store import IN_PROGRESS, EntryTable
from .overflow import Overflow

DETAILED: Final = "EXECUTION_HISTORY_DETAILED"
SUCCEEDED: Final = "STATE_SUCCEEDED"
FAILED: Final = "STATE_FAILED"
LOG = logging.getLogger("localcloud.workflows")
# So many changed entries are written at once even when nothing else is; fewer after so many seconds.
_FLUSH_ENTRIES = 1_000
_FLUSH_SECONDS = 0.2


class _Row:
    """An entry on its way to the store.

    `stored` says that it is there as it is now, `done` that it ended in an earlier run.
    """

    __slots__ = ("created", "done", "entry", "exception", "id", "notes", "parent", "state", "stored", "updated")

    def __init__(self, entry: Entry, parent: int, number: int, created: float, *, done: bool = False) -> None:
        self.entry = entry
        self.parent = parent
        self.id = number
        self.created = created
        self.updated = created
        self.state = IN_PROGRESS
        self.exception: str | None = None
        self.notes: list[str] | None = None
        self.stored = False
        self.done = done

    def columns(self) -> tuple[Any, ...]:
        """The values of an `EntryRecord`."""
        entry = self.entry
        return (
            self.id,
            entry.id,
            self.parent,
            entry.routine,
            entry.name,
            entry.kind.value,
            self.state,
            entry.index,
            entry.label,
            self.created,
            self.updated,
            self.exception,
            f"[{', '.join(self.notes)}]" if self.notes else "[]",
        )


class Recorder:
    """Observes one execution and keeps what it sees; `detailed` with values.

    An execution that goes on after a restart finds the entries of its earlier run in the store. `changed` says whether
    there is something to write.
    """

    __slots__ = (
        "_begun",
        "_characters",
        "_clock",
        "_detailed",
        "_ended",
        "_execution",
        "_failed_beyond",
        "_known",
        "_last",
        "_latest",
        "_numbers",
        "_on_change",
        "_open",
        "_overflow",
        "_table",
        "changed",
    )

    def __init__(
        self, table: EntryTable, clock: Clock, execution: str, on_change: Callable[[Recorder], None], *, detailed: bool
    ) -> None:
        self._table = table
        self._on_change = on_change
        self._clock = clock
        self._execution = execution
        self._detailed = detailed
        self._known = {record.key: record for record in self._table.of(execution)}
        self._last = max((record.id for record in self._known.values()), default=0)
        self._failed_beyond = sum(record.id > limits.HISTORY_ENTRIES for record in self._known.values())
        self._characters = sum(len(record.notes) for record in self._known.values())
        self._latest: tuple[str, Step] | None = None
        self._begun = 0
        self._open: dict[Entry, _Row] = {}
        self._numbers: dict[Entry, int] = {}  # of entries around a failed one, which are not kept themselves
        # Those that ended since they were last written. Of the open ones, those are written that are not yet.
        self._ended: list[_Row] = []
        self._overflow: Overflow | None = None  # made when needed: thousands of executions wait that never do
        self.changed = False

    @property
    def wants_values(self) -> bool:
        """Whether the level is DETAILED."""
        return self._detailed

    @property
    def full(self) -> bool:
        """Whether the limit is reached, in an execution that goes on after a restart: reached again."""
        return self._begun >= limits.HISTORY_ENTRIES

    def passed(self, routine: str, step: Step, kind: Kind, part: int | None, before: Step | None) -> None:
        """One more of what is only counted."""
        self._latest = routine, step
        self._overflowing().passed(routine, step, kind, part, before)

    @property
    def last_steps(self) -> list[dict[str, str]]:
        """The step that began last, as the API's `status.currentSteps` of an execution that has ended."""
        if self._latest is None:
            return []
        routine, step = self._latest
        return [{"routine": routine, "step": step.name}]

    def began(self, entry: Entry) -> None:
        """A new row, or the one that this entry had before the restart."""
        self._latest = entry.routine, entry.step
        self._begun += 1
        known = self._known.pop(entry.id, None) if self._known else None
        if known is not None:
            number, created, done = known.id, known.created, known.state != IN_PROGRESS
            row = self._open[entry] = _Row(entry, self._number_of(entry.parent), number, created, done=done)
            row.stored = True
            return
        self._last += 1
        if self._last > limits.HISTORY_ENTRIES:
            self._overflowing().began(entry)
            return
        self._open[entry] = _Row(entry, self._number_of(entry.parent), self._last, self._clock.now())
        if not self.changed:
            self._change()

    def noted(self, entry: Entry, kind: ValueKind, name: str, value: Any) -> None:
        """Values are encoded at once, since they go on changing."""
        row = self._open.get(entry)
        if row is None or row.done:
            return
        room = limits.HISTORY_VALUES_CHARACTERS - self._characters
        text = _excerpt(value, min(limits.HISTORY_VALUE_CHARACTERS, max(room, 0)))
        self._characters += len(text)
        if row.notes is None:
            row.notes = []
        row.notes.append(f"[{json.dumps(kind.value)}, {json.dumps(name)}, {text}]")
        row.stored = False
        self._change()

    def ended(self, entry: Entry, control: Control, error: WorkflowError | None) -> None:
        """The row's final state. A failed entry beyond the limit is kept after all, up to a limit of its own."""
        row = self._open.pop(entry, None)
        if row is None:
            row = self._ended_beyond(entry, error)
        if row is None or row.done:
            return
        row.updated = self._clock.now()
        if error is None:
            row.state = SUCCEEDED
        else:
            row.state = FAILED
            row.exception = _excerpt(error.payload, limits.HISTORY_VALUE_CHARACTERS)
        self._ended.append(row)
        if not self.changed:
            self._change()
        if len(self._ended) >= _FLUSH_ENTRIES:
            self.flush()

    def _ended_beyond(self, entry: Entry, error: WorkflowError | None) -> _Row | None:
        """The row of an entry beyond the limit if it is to be kept; when it began is not known any more."""
        if error is None or self._failed_beyond >= limits.HISTORY_FAILED_ENTRIES:
            self._overflowing().ended(entry, failed=error is not None)
            return None
        self._failed_beyond += 1
        number, parent = self._number_of(entry), self._number_of(entry.parent)
        self._numbers.pop(entry, None)
        return _Row(entry, parent, number, self._clock.now())

    def _number_of(self, entry: Entry | None) -> int:
        """The number of an entry, from 1; 0 for none. One beyond the limit gets its number when it is asked for."""
        if entry is None:
            return 0
        row = self._open.get(entry)
        if row is not None:
            return row.id
        if entry not in self._numbers:
            self._last += 1
            self._numbers[entry] = self._last
        return self._numbers[entry]

    def flush(self) -> None:
        """Write what has changed, within the store's transaction if one is under way."""
        self.write()
        self.written()

    def flush_all(self) -> None:
        """Write the counts of what is not kept, too: for somebody who reads them, and at the end."""
        self.flush()
        if self._overflow is not None:
            self._table.save_overflow(self._execution, self._overflow.text())

    def write(self) -> None:
        """The first half of `flush`, for a transaction that is not finished yet."""
        if self.changed:
            self._table.save(self._execution, [row.columns() for row in (*self._ended, *self._under_way())])

    def written(self) -> None:
        """The second half: what was to be written is."""
        for row in self._under_way():
            row.stored = True
        self._ended.clear()
        self.changed = False

    def _overflowing(self) -> Overflow:
        if self._overflow is None:
            self._overflow = Overflow()
        return self._overflow

    def _under_way(self) -> list[_Row]:
        return [row for row in self._open.values() if not row.stored]

    def _change(self) -> None:
        if not self.changed:
            self.changed = True
            self._on_change(self)


class History:
    """The recorders of all running executions."""

    def __init__(self, table: EntryTable, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._recorders: dict[str, Recorder] = {}
        self._changed: set[Recorder] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, execution: str, *, detailed: bool) -> Recorder:
        """The recorder of an execution that starts or goes on."""
        recorder = Recorder(self._table, self._clock, execution, self._note_change, detailed=detailed)
        self._recorders[execution] = recorder
        return recorder

    def of(self, execution: str) -> Recorder | None:
        """The recorder of a running execution."""
        return self._recorders.get(execution)

    def forget(self, execution: str) -> None:
        """The execution has ended, or is not worked on any more."""
        recorder = self._recorders.pop(execution, None)
        if recorder is not None:
            self._changed.discard(recorder)

    def flush(self) -> None:
        """Write everything that has changed, in one transaction. What cannot be written now is tried again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting = [recorder for recorder in self._changed if recorder.changed]
        self._changed.clear()
        if not waiting:
            return
        try:
            with self._table.at_once():
                for recorder in waiting:
                    recorder.write()
        except NotStored as error:
            LOG.error("step history: %s", error.message)
            for recorder in waiting:
                self._note_change(recorder)
            return
        for recorder in waiting:
            recorder.written()

    def _note_change(self, recorder: Recorder) -> None:
        self._changed.add(recorder)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)


def _excerpt(value: Any, characters: int) -> str:
    """The JSON text of a value; when it is longer than `characters`, of a string with its beginning and its length."""
    try:
        text = to_json(without_bytes(value))
    except WorkflowError:
        text = json.dumps(ascii(value))
    if len(text) <= characters:
        return text
    return json.dumps(f"{text[:characters]}... ({len(text)} characters)")
