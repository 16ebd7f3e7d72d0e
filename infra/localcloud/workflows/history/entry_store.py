"""Step entries in the database: one table beside the executions, written within whatever transaction is under way."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS step_entry (
    execution TEXT NOT NULL, id INTEGER NOT NULL, key TEXT NOT NULL, parent INTEGER NOT NULL, routine TEXT NOT NULL,
    step TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, part INTEGER, label TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL, exception TEXT, notes TEXT NOT NULL,
    PRIMARY KEY (execution, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS step_overflow (execution TEXT PRIMARY KEY, counts TEXT NOT NULL) WITHOUT ROWID;
"""
_COLUMNS = "id, key, parent, routine, step, kind, state, part, label, created, updated, exception, notes"
_INSERT = f"INSERT OR REPLACE INTO step_entry (execution, {_COLUMNS}) VALUES ({', '.join('?' * 14)})"
IN_PROGRESS = "STATE_IN_PROGRESS"


@dataclass(frozen=True)
class EntryRecord:
    """A step entry. `key` is the observer's id of it, `parent` the number of the entry around it (0: none).

    `part` counts conditions, iterations, branches and retries from 0; `label` is a branch's name. `notes` is a JSON
    list of [kind of value, name, value]; `exception` a JSON text.
    """

    id: int
    key: str
    parent: int
    routine: str
    step: str
    kind: str
    state: str
    part: int | None
    label: str
    created: float
    updated: float
    exception: str | None
    notes: str


class EntryTable:
    """The step entries of all executions. `transaction` starts one of the database that `db` is."""

    def __init__(
        self, db: sqlite3.Connection, transaction: Callable[[], contextlib.AbstractContextManager[None]]
    ) -> None:
        self._db = db
        self._transaction = transaction

    def save(self, execution: str, entries: Iterable[Sequence[Any]]) -> None:
        """Write entries, new or changed, their values in the order of `EntryRecord`."""
        with contextlib.nullcontext() if self._db.in_transaction else self._transaction():
            self._db.executemany(_INSERT, ((execution, *entry) for entry in entries))

    def save_overflow(self, execution: str, counts: str) -> None:
        """Write the counts of the entries that are not kept, as `Overflow.text` gives them."""
        self._db.execute("INSERT OR REPLACE INTO step_overflow VALUES (?, ?)", (execution, counts))

    def overflow(self, execution: str) -> str | None:
        """The counts of the entries that are not kept; None when all are."""
        row = self._db.execute("SELECT counts FROM step_overflow WHERE execution = ?", (execution,)).fetchone()
        return None if row is None else str(row[0])

    def at_once(self) -> contextlib.AbstractContextManager[None]:
        """A transaction for what several executions save."""
        return self._transaction()

    def of(self, execution: str) -> list[EntryRecord]:
        """All entries of an execution, in the order of their numbers."""
        query = f"SELECT {_COLUMNS} FROM step_entry WHERE execution = ? ORDER BY id"
        return [EntryRecord(*row) for row in self._db.execute(query, (execution,))]

    def close(self, execution: str, state: str, now: float | None) -> None:
        """Give the entries still under way a final state."""
        statement = "UPDATE step_entry SET state = ?, updated = ? WHERE execution = ? AND state = ?"
        self._db.execute(statement, (state, now, execution, IN_PROGRESS))

    def delete(self, execution: str) -> None:
        """Forget the entries of an execution."""
        with self._transaction():
            for table in ("step_entry", "step_overflow"):
                self._db.execute(f"DELETE FROM {table} WHERE execution = ?", (execution,))
