"""Topics, subscriptions and unacknowledged messages in one SQLite file.

A row of `backlog` is one message that one subscription has not acknowledged; acknowledging deletes it. The body is
stored once per subscription, so that a delete never has to look for other readers of it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, resource BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS subscriptions (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, resource BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS backlog (
    id INTEGER PRIMARY KEY, subscription INTEGER NOT NULL, published REAL NOT NULL, failures INTEGER NOT NULL,
    ordering_key TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS backlog_of_subscription ON backlog (subscription, id);
CREATE TABLE IF NOT EXISTS counter (only INTEGER PRIMARY KEY CHECK (only = 0), reserved INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES (0, 0);
"""
_IDS_PER_RESERVATION = 100_000


class StoredMessage(NamedTuple):
    """One unacknowledged message of one subscription; `body` is a serialized PubsubMessage."""

    id: int
    subscription: int
    published: float
    failures: int
    ordering_key: str
    body: bytes


class Store:
    """The only reader and writer of the state file. Not for use from several threads.

    What a finished `transaction` wrote survives the end of the process, however it comes. It may lose the last
    transactions, but stays consistent, when the whole machine loses power (WAL with synchronous=NORMAL).
    """

    def __init__(self, path: Path) -> None:
        """Opens or creates the file. OSError when another process has it open."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, cached_statements=64)
        try:
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(_SCHEMA)
            self._reserved = int(self._connection.execute("SELECT reserved FROM counter").fetchone()[0])
        except sqlite3.OperationalError as error:
            self._connection.close()
            raise OSError(f"cannot use {path}: {error}; is another Pub/Sub running on this folder?") from error
        self._last_id = self._reserved
        self._depth = 0

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything written inside is kept or, after an exception, dropped as one; may be nested."""
        if self._depth == 0:
            self._connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("ROLLBACK")
            raise
        self._depth -= 1
        if self._depth == 0:
            self._connection.execute("COMMIT")

    def new_id(self) -> int:
        """A number larger than any before it, also across restarts: consumers take message ids for unique."""
        if self._last_id >= self._reserved:
            self._reserved = self._last_id + _IDS_PER_RESERVATION
            self._connection.execute("UPDATE counter SET reserved = ?", (self._reserved,))
        self._last_id += 1
        return self._last_id

    def topics(self) -> list[bytes]:
        """The serialized Topic resources."""
        return [resource for (resource,) in self._connection.execute("SELECT resource FROM topics")]

    def put_topic(self, name: str, resource: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO topics VALUES (?, ?)", (name, resource))

    def delete_topic(self, name: str) -> None:
        self._connection.execute("DELETE FROM topics WHERE name = ?", (name,))

    def subscriptions(self) -> list[tuple[int, bytes]]:
        """Ids and serialized Subscription resources."""
        return self._connection.execute("SELECT id, resource FROM subscriptions ORDER BY id").fetchall()

    def put_subscription(self, number: int, name: str, resource: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?)", (number, name, resource))

    def delete_subscription(self, number: int) -> None:
        """Forget a subscription with its backlog."""
        with self.transaction():
            self._connection.execute("DELETE FROM subscriptions WHERE id = ?", (number,))
            self._connection.execute("DELETE FROM backlog WHERE subscription = ?", (number,))

    def add(self, messages: Iterable[StoredMessage]) -> None:
        self._connection.executemany("INSERT INTO backlog VALUES (?, ?, ?, ?, ?, ?)", messages)

    def remove(self, subscription: int, ids: Iterable[int]) -> None:
        self._connection.executemany(
            "DELETE FROM backlog WHERE id = ? AND subscription = ?", ((number, subscription) for number in ids)
        )

    def remove_published_before(self, subscription: int, time: float) -> None:
        self._connection.execute("DELETE FROM backlog WHERE subscription = ? AND published < ?", (subscription, time))

    def set_failures(self, number: int, failures: int) -> None:
        self._connection.execute("UPDATE backlog SET failures = ? WHERE id = ?", (failures, number))

    def body(self, number: int) -> bytes:
        """The serialized PubsubMessage of a row that exists."""
        (body,) = self._connection.execute("SELECT body FROM backlog WHERE id = ?", (number,)).fetchone()
        return bytes(body)

    def after(self, subscription: int, number: int) -> Iterator[StoredMessage]:
        """The backlog behind message `number`, oldest first; read lazily, so the caller decides how much."""
        cursor = self._connection.execute(
            "SELECT id, subscription, published, failures, ordering_key, body FROM backlog "
            "WHERE subscription = ? AND id > ? ORDER BY id",
            (subscription, number),
        )
        return map(StoredMessage._make, cursor)
