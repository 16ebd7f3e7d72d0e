"""Durable state: one SQLite file, one table per kind of record, each record a JSON document under its key."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from ..http import GoogleError
from .records import Endpoint, Evaluation, Job, ModelVersion, Operation

Record = TypeVar("Record", bound=msgspec.Struct)


class Table(Generic[Record]):
    """Records of one type by resource name, listed in the order of their creation."""

    def __init__(self, connection: sqlite3.Connection, table: str, record_type: type[Record]) -> None:
        self._connection = connection
        self._table = table
        self._decode = msgspec.json.Decoder(record_type).decode
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {table} "
            "(position INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, body BLOB NOT NULL)"
        )

    def get(self, key: str) -> Record | None:
        row = self._connection.execute(f"SELECT body FROM {self._table} WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._decode(row[0])

    def insert(self, key: str, record: Record) -> None:
        """Add a record; ALREADY_EXISTS when the key is taken."""
        try:
            self._connection.execute(
                f"INSERT INTO {self._table} (key, body) VALUES (?, ?)", (key, msgspec.json.encode(record))
            )
        except sqlite3.IntegrityError as error:
            raise GoogleError("ALREADY_EXISTS", f"{key} already exists") from error

    def put(self, key: str, record: Record) -> None:
        """Write a record, new or not; one that exists keeps its place in the order."""
        self._connection.execute(
            f"INSERT INTO {self._table} (key, body) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body",
            (key, msgspec.json.encode(record)),
        )

    def delete(self, key: str) -> None:
        self._connection.execute(f"DELETE FROM {self._table} WHERE key = ?", (key,))

    def list(self, prefix: str = "") -> list[Record]:
        """Records whose key starts with `prefix`, oldest first."""
        rows = self._connection.execute(
            f"SELECT body FROM {self._table} WHERE substr(key, 1, ?) = ? ORDER BY position", (len(prefix), prefix)
        )
        return [self._decode(row[0]) for row in rows]


class Store:
    """Every table, and transactions over them. Used from one thread only: the event loop's."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Autocommit: each statement is durable against a killed process on its own, and `transaction` groups some.
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self.jobs = Table(self._connection, "jobs", Job)
        self.models = Table(self._connection, "models", ModelVersion)
        self.endpoints = Table(self._connection, "endpoints", Endpoint)
        self.evaluations = Table(self._connection, "evaluations", Evaluation)
        self.operations = Table(self._connection, "operations", Operation)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the writes inside, or none of them."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
