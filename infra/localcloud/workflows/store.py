"""What survives a restart, in one SQLite file: definitions, revisions, executions, their journals, callbacks.

Every method is one transaction. Writes go through the operating system before they return, so killing the process
loses none of them; only a crash of the machine may lose the last ones (WAL with synchronous=NORMAL).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS revision (
    workflow TEXT NOT NULL, revision TEXT NOT NULL, number INTEGER NOT NULL, resource TEXT NOT NULL,
    PRIMARY KEY (workflow, revision)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operation (name TEXT PRIMARY KEY, resource TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS execution (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL, revision TEXT NOT NULL,
    state TEXT NOT NULL, argument TEXT, result TEXT, error TEXT, labels TEXT NOT NULL, call_log_level TEXT,
    created REAL NOT NULL, ended REAL);
CREATE INDEX IF NOT EXISTS execution_of_workflow ON execution (workflow, number);
CREATE INDEX IF NOT EXISTS execution_by_state ON execution (state) WHERE state = 'ACTIVE';
CREATE TABLE IF NOT EXISTS journal (
    execution TEXT NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, outcome TEXT NOT NULL,
    PRIMARY KEY (execution, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS callback (
    execution TEXT NOT NULL, id TEXT NOT NULL, method TEXT NOT NULL, payload TEXT,
    PRIMARY KEY (execution, id)) WITHOUT ROWID;
"""
_EXECUTION_COLUMNS = "name, workflow, revision, state, argument, result, error, labels, call_log_level, created, ended"


@dataclass(frozen=True)
class ExecutionRecord:
    """An execution as stored. `argument` and `result` are JSON texts; `error` is the API's Error resource."""

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


class Store:
    """The database. `path` None keeps it in memory."""

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

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
            for table in ("journal", "callback"):
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
        places = ", ".join("?" * 11)
        self._db.execute(f"INSERT INTO execution ({_EXECUTION_COLUMNS}) VALUES ({places})", _execution_row(record))

    def finish_execution(self, record: ExecutionRecord) -> None:
        """Write a final state; the journal and the callbacks are not needed any more."""
        error = json.dumps(record.error) if record.error else None
        with self._transaction():
            self._db.execute(
                "UPDATE execution SET state = ?, result = ?, error = ?, ended = ? WHERE name = ?",
                (record.state, record.result, error, record.ended, record.name),
            )
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

    def active_executions(self) -> list[ExecutionRecord]:
        """Executions that have not ended, oldest first."""
        query = f"SELECT {_EXECUTION_COLUMNS} FROM execution WHERE state = 'ACTIVE' ORDER BY number"
        return [_execution_record(row) for row in self._db.execute(query)]

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


def _execution_row(record: ExecutionRecord) -> tuple[Any, ...]:
    error = json.dumps(record.error) if record.error else None
    texts = (record.name, record.workflow, record.revision, record.state, record.argument, record.result, error)
    return (*texts, json.dumps(dict(record.labels)), record.call_log_level, record.created, record.ended)


def _execution_record(row: Sequence[Any]) -> ExecutionRecord:
    name, workflow, revision, state, argument, result, error, labels, level, created, ended = row
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
    )
