"""Which objects of a bucket have been told of, so that one whose event was lost is found by listing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

GRACE_SECONDS = 5.0  # a younger object's own message is probably on its way


class BucketWatch:
    """Remembers the generation of every object seen, in SQLite; safe to use from several threads."""

    def __init__(self, path: Path, storage: str) -> None:
        self._storage = storage
        self._lock = threading.Lock()
        self._session = requests.Session()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS seen (bucket TEXT, name TEXT, generation INTEGER, PRIMARY KEY (bucket, name))"
        )
        self._db.execute("CREATE TABLE IF NOT EXISTS watched (bucket TEXT PRIMARY KEY)")

    def start(self, bucket: str) -> None:
        """Begin to watch a bucket: what lies in it the first time is not news."""
        with self._lock:
            known = self._db.execute("SELECT 1 FROM watched WHERE bucket = ?", (bucket,)).fetchone()
        if known:
            return
        for resource in self._list(bucket):
            self.saw(bucket, resource["name"], int(resource["generation"]))
        with self._lock:
            self._db.execute("INSERT OR IGNORE INTO watched VALUES (?)", (bucket,))

    def saw(self, bucket: str, name: str, generation: int) -> None:
        """Remember that this generation has been told of."""
        with self._lock:
            self._db.execute(
                "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT (bucket, name) "
                "DO UPDATE SET generation = max(generation, excluded.generation)",
                (bucket, name, generation),
            )

    def unseen(self, bucket: str) -> list[Mapping[str, Any]]:
        """Object resources that nobody was told of and that are older than a moment; forgets deleted objects."""
        resources = self._list(bucket)
        names = {resource["name"] for resource in resources}
        with self._lock:
            seen = dict(self._db.execute("SELECT name, generation FROM seen WHERE bucket = ?", (bucket,)).fetchall())
            gone = [(bucket, name) for name in seen.keys() - names]
            self._db.executemany("DELETE FROM seen WHERE bucket = ? AND name = ?", gone)
        now = datetime.now(UTC)
        return [
            resource
            for resource in resources
            if seen.get(resource["name"], -1) < int(resource["generation"])
            and (now - datetime.fromisoformat(resource["updated"])).total_seconds() > GRACE_SECONDS
        ]

    def _list(self, bucket: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        token: str | None = None
        while True:
            query = {"pageToken": token} if token else {}
            reply = self._session.get(f"{self._storage}/storage/v1/b/{bucket}/o", params=query, timeout=30)
            reply.raise_for_status()
            page = reply.json()
            found.extend(page.get("items", []))
            token = page.get("nextPageToken")
            if not token:
                return found
