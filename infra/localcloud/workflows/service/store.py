"""What survives a restart, in one SQLite file: definitions, revisions, executions, their journals, callbacks.

Every method is one transaction. Writes go through the operating system before they return, so killing the process
loses none of them; only a crash of the machine may lose the last ones (WAL with synchronous=NORMAL).

The file has one owner: a second process is refused. A file that is damaged, foreign or cannot be written is refused
at the start; a write that fails later, for a full disk, is `NotStored` and has changed nothing.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...http import GoogleError
from ...process import CannotStart
from ..history.entry_store import SCHEMA as STEP_ENTRIES
from ..history.entry_store import EntryTable

# How long a process that is just ending may still hold the file.
_OWNER_LEAVES_SECONDS = 2.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS revision (
    workflow TEXT NOT NULL, revision TEXT NOT NULL, number INTEGER NOT NULL, resource TEXT NOT NULL,
    PRIMARY KEY (workflow, revision)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operation (name TEXT PRIMARY KEY, resource TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS execution (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL, revision TEXT NOT NULL,
    state TEXT NOT NULL, argument TEXT, result TEXT, error TEXT, labels TEXT NOT NULL, call_log_level TEXT,
    created REAL NOT NULL, ended REAL, history_level TEXT, unbuffered INTEGER NOT NULL DEFAULT 0,
    last_steps TEXT NOT NULL DEFAULT '[]');
CREATE INDEX IF NOT EXISTS execution_of_workflow ON execution (workflow, number);
CREATE INDEX IF NOT EXISTS execution_by_state ON execution (state) WHERE state = 'ACTIVE';
CREATE TABLE IF NOT EXISTS journal (
    execution TEXT NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, outcome TEXT NOT NULL,
    PRIMARY KEY (execution, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS callback (
    execution TEXT NOT NULL, id TEXT NOT NULL, method TEXT NOT NULL, payload TEXT,
    PRIMARY KEY (execution, id)) WITHOUT ROWID;
"""
# Columns that files of earlier versions lack.
_LATER_COLUMNS = {
    "history_level": "TEXT",
    "unbuffered": "INTEGER NOT NULL DEFAULT 0",
    "last_steps": "TEXT NOT NULL DEFAULT '[]'",
}
_EXECUTION_COLUMNS = (
    "name, workflow, revision, state, argument, result, error, labels, call_log_level, created, ended, "
    "history_level, unbuffered, last_steps"
)


@dataclass(frozen=True)
class ExecutionRecord:
    """An execution as stored. `argument` and `result` are JSON texts; `error` is the API's Error resource.

    `last_steps` are the API's `status.currentSteps` of one that has ended.
    """

    name: str
    workflow: str
    revision: str
    state: str
    argument: str | None
    result: str | None
    error: Mapping[str, Any] | None
    labels: Mapping[str, str]
    call_log_level: str | None
    created: float
    ended: float | None
    history_level: str | None = None
    unbuffered: bool = False
    last_steps: Sequence[Mapping[str, str]] = ()

    def finished(self, state: str, ended: float, *, result: str | None = None, error: Any = None) -> ExecutionRecord:
        """The same execution in a final state."""
        return replace(self, state=state, ended=ended, result=result, error=error)


@dataclass(frozen=True)
class CallbackRecord:
    """A callback endpoint; `payload` is a request that nobody has taken yet, in the journal's encoding."""

    execution: str
    id: str
    method: str
    payload: str | None


class NotStored(GoogleError):
    """A write failed and changed nothing; the same one may succeed later."""

    def __init__(self, reason: sqlite3.OperationalError) -> None:
        message = f"the state of the local Workflows cannot be written: {reason}; free disk space or make it writable"
        super().__init__("UNAVAILABLE", message)


class _Connection(sqlite3.Connection):
    """Statements fail with NotStored when the file cannot be written, or read, for the moment."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        try:
            return super().execute(sql, parameters)
        except sqlite3.OperationalError as error:
            raise NotStored(error) from error

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        try:
            return super().executemany(sql, parameters)
        except sqlite3.OperationalError as error:
            raise NotStored(error) from error


class Store:
    """The database. `path` None keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        """Opens or creates the file. CannotStart when it has another owner, is damaged, or cannot be written."""
        try:
            self._db = _opened(path)
        except sqlite3.DatabaseError as error:
            raise CannotStart(f"cannot use {path}: {error}; {_advice(error)}") from error
        self.entries = EntryTable(self._db, self._transaction)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # A full disk may have rolled it back already.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    # --- definitions: the newest revision is the workflow

    def save_revision(self, workflow: str, revision: str, number: int, resource: Mapping[str, Any]) -> None:
        """Write a revision, new or changed."""
        self._db.execute(
            "INSERT OR REPLACE INTO revision VALUES (?, ?, ?, ?)", (workflow, revision, number, json.dumps(resource))
        )

    def revisions(self, workflow: str) -> list[dict[str, Any]]:
        """All revisions of a workflow, newest first."""
        rows = self._db.execute("SELECT resource FROM revision WHERE workflow = ? ORDER BY number DESC", (workflow,))
        return [json.loads(row[0]) for row in rows]

    def revision(self, workflow: str, revision: str | None = None) -> dict[str, Any] | None:
        """A revision, the newest one unless named."""
        condition, values = ("AND revision = ?", (workflow, revision)) if revision else ("", (workflow,))
        query = f"SELECT resource FROM revision WHERE workflow = ? {condition} ORDER BY number DESC LIMIT 1"
        row = self._db.execute(query, values).fetchone()
        return json.loads(row[0]) if row else None

    def workflows(self, parent: str) -> list[dict[str, Any]]:
        """The newest revision of every workflow of a location, by name."""
        columns = "workflow, MAX(number), resource"
        query = f"SELECT {columns} FROM revision WHERE workflow GLOB ? GROUP BY workflow ORDER BY workflow"
        return [json.loads(row[2]) for row in self._db.execute(query, (f"{parent}/workflows/*",))]

    def delete_workflow(self, workflow: str) -> None:
        """Remove a workflow with its revisions and executions."""
        of_workflow = "execution IN (SELECT name FROM execution WHERE workflow = ?)"
        with self._transaction():
            for table in ("journal", "callback", "step_entry", "step_overflow"):
                self._db.execute(f"DELETE FROM {table} WHERE {of_workflow}", (workflow,))
            self._db.execute("DELETE FROM execution WHERE workflow = ?", (workflow,))
            self._db.execute("DELETE FROM revision WHERE workflow = ?", (workflow,))

    def save_operation(self, resource: Mapping[str, Any]) -> None:
        """Write an operation."""
        self._db.execute("INSERT OR REPLACE INTO operation VALUES (?, ?)", (resource["name"], json.dumps(resource)))

    def operation(self, name: str) -> dict[str, Any] | None:
        """An operation by name."""
        row = self._db.execute("SELECT resource FROM operation WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def operations(self, parent: str) -> list[dict[str, Any]]:
        """All operations of a location."""
        rows = self._db.execute("SELECT resource FROM operation WHERE name GLOB ?", (f"{parent}/operations/*",))
        return [json.loads(row[0]) for row in rows]

    def delete_operation(self, name: str) -> bool:
        """Remove an operation; False when there was none."""
        return self._db.execute("DELETE FROM operation WHERE name = ?", (name,)).rowcount > 0

    # --- executions

    def create_execution(self, record: ExecutionRecord) -> None:
        """Write a new execution."""
        places = ", ".join("?" * 14)
        self._db.execute(f"INSERT INTO execution ({_EXECUTION_COLUMNS}) VALUES ({places})", _execution_row(record))

    def finish_execution(self, record: ExecutionRecord, and_then: Callable[[], None] = lambda: None) -> None:
        """Write a final state and what `and_then` writes; the journal and the callbacks are not needed any more.

        Step entries that are still under way end with the execution.
        """
        error = json.dumps(record.error) if record.error else None
        with self._transaction():
            self._db.execute(
                "UPDATE execution SET state = ?, result = ?, error = ?, ended = ?, last_steps = ? WHERE name = ?",
                (record.state, record.result, error, record.ended, json.dumps(record.last_steps), record.name),
            )
            and_then()
            left = "STATE_CANCELLED" if record.state == "CANCELLED" else "STATE_FAILED"
            self.entries.close(record.name, left, record.ended)
            self._db.execute("DELETE FROM journal WHERE execution = ?", (record.name,))
            self._db.execute("DELETE FROM callback WHERE execution = ?", (record.name,))

    def execution(self, name: str) -> ExecutionRecord | None:
        """An execution by name."""
        row = self._db.execute(f"SELECT {_EXECUTION_COLUMNS} FROM execution WHERE name = ?", (name,)).fetchone()
        return _execution_record(row) if row else None

    def executions(self, workflow: str) -> Iterator[ExecutionRecord]:
        """All executions of a workflow, newest first."""
        query = f"SELECT {_EXECUTION_COLUMNS} FROM execution WHERE workflow = ? ORDER BY number DESC"
        return map(_execution_record, self._db.execute(query, (workflow,)))

    def active_executions(self, created_until: float = math.inf) -> list[str]:
        """Names of the executions that have not ended, oldest first."""
        query = "SELECT name FROM execution WHERE state = 'ACTIVE' AND created <= ? ORDER BY number"
        return [row[0] for row in self._db.execute(query, (created_until,))]

    def oldest_active(self) -> float | None:
        """When the oldest execution that has not ended was created; None when all have."""
        row = self._db.execute("SELECT MIN(created) FROM execution WHERE state = 'ACTIVE'").fetchone()
        return None if row[0] is None else float(row[0])

    # --- journals

    def journal(self, execution: str) -> list[tuple[str, str]]:
        """(path, outcome) of every recorded effect, in order."""
        query = "SELECT path, outcome FROM journal WHERE execution = ? ORDER BY number"
        return [(row[0], row[1]) for row in self._db.execute(query, (execution,))]

    def append_journal(
        self, execution: str, number: int, path: str, outcome: str, and_then: Callable[[], None] | None
    ) -> None:
        """Write one record, together with what `and_then` writes."""
        row = (execution, number, path, outcome)
        if and_then is None:
            self._db.execute("INSERT INTO journal VALUES (?, ?, ?, ?)", row)
            return
        with self._transaction():
            self._db.execute("INSERT INTO journal VALUES (?, ?, ?, ?)", row)
            and_then()

    # --- callbacks

    def create_callback(self, record: CallbackRecord) -> None:
        """Write a new endpoint."""
        values = (record.execution, record.id, record.method, record.payload)
        self._db.execute("INSERT INTO callback VALUES (?, ?, ?, ?)", values)

    def callback(self, execution: str, identity: str) -> CallbackRecord | None:
        """An endpoint of an execution."""
        return next((record for record in self.callbacks(execution) if record.id == identity), None)

    def callbacks(self, execution: str) -> Sequence[CallbackRecord]:
        """All endpoints of an execution."""
        query = "SELECT execution, id, method, payload FROM callback WHERE execution = ? ORDER BY id"
        return [CallbackRecord(*row) for row in self._db.execute(query, (execution,))]

    def set_payload(self, execution: str, identity: str, payload: str | None) -> None:
        """Keep a request for whoever waits next, or take it off."""
        values = (payload, execution, identity)
        self._db.execute("UPDATE callback SET payload = ? WHERE execution = ? AND id = ?", values)


def _opened(path: Path | None) -> sqlite3.Connection:
    db = sqlite3.connect(
        path or ":memory:",
        timeout=_OWNER_LEAVES_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=_Connection,
    )
    try:
        # Through a cursor, so that the reason for a refusal is seen as it is.
        cursor = db.cursor()
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.executescript(_SCHEMA + STEP_ENTRIES)
        present = {row[1] for row in cursor.execute("PRAGMA table_info(execution)")}
        for column, kind in _LATER_COLUMNS.items():
            if column not in present:
                cursor.execute(f"ALTER TABLE execution ADD COLUMN {column} {kind}")
        found = cursor.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found.splitlines()[-1])
    except BaseException:
        db.close()
        raise
    return db


def _advice(error: sqlite3.DatabaseError) -> str:
    match getattr(error, "sqlite_errorname", "SQLITE_CORRUPT").split("_")[1]:
        case "BUSY":
            return "is another local Workflows running on this folder? Stop it, or choose another --data"
        case "CORRUPT" | "NOTADB":
            return "the file is damaged or not ours; move it away to start anew, or restore a copy"
        case _:
            return "check that the folder exists, can be written, and that the disk has room"


def _execution_row(record: ExecutionRecord) -> tuple[Any, ...]:
    error = json.dumps(record.error) if record.error else None
    texts = (record.name, record.workflow, record.revision, record.state, record.argument, record.result, error)
    labels, last_steps = json.dumps(dict(record.labels)), json.dumps(record.last_steps)
    times = (record.created, record.ended)
    return (*texts, labels, record.call_log_level, *times, record.history_level, record.unbuffered, last_steps)


def _execution_record(row: Sequence[Any]) -> ExecutionRecord:
    name, workflow, revision, state, argument, result, error, labels, level, created, ended, *later = row
    history_level, unbuffered, last_steps = later
    return ExecutionRecord(
        name,
        workflow,
        revision,
        state,
        argument,
        result,
        json.loads(error) if error else None,
        json.loads(labels),
        level,
        created,
        ended,
        history_level,
        bool(unbuffered),
        json.loads(last_steps),
    )
