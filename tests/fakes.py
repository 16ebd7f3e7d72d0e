"""Ports in memory, as strict as what they stand for."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO

from droptune.errors import ObjectGone
from droptune.ports import StoredObject


@dataclass
class MemoryObjects:
    """Cloud Storage: each upload is a new generation, and reading an old one fails as it does there.

    `streamed` names the objects that were opened, `content_types` is by bucket and name.
    """

    content_types: dict[tuple[str, str], str] = field(default_factory=dict)
    streamed: list[str] = field(default_factory=list)
    _stored: dict[tuple[str, str], tuple[StoredObject, bytes]] = field(default_factory=dict)
    _generation: int = 1_700_000_000_000_000
    _creating: threading.Lock = field(default_factory=threading.Lock)

    def upload(self, bucket: str, name: str, data: bytes, metadata: Mapping[str, str] | None = None) -> StoredObject:
        """Write or replace an object, as a user does; what its "finalized" event says."""
        self._generation += 1
        stored = StoredObject(bucket, name, self._generation, len(data), dict(metadata or {}))
        self._stored[bucket, name] = stored, data
        return stored

    def delete(self, bucket: str, name: str) -> None:
        del self._stored[bucket, name]

    def names(self, bucket: str) -> list[str]:
        """The names of all objects of a bucket, in order."""
        return sorted(name for of, name in self._stored if of == bucket)

    def stat(self, bucket: str, name: str) -> StoredObject | None:
        entry = self._stored.get((bucket, name))
        return entry[0] if entry else None

    def list(self, bucket: str, prefix: str) -> Sequence[StoredObject]:
        return [self._stored[bucket, name][0] for name in self.names(bucket) if name.startswith(prefix)]

    def stream(self, stored: StoredObject) -> AbstractContextManager[BinaryIO]:
        entry = self._stored.get((stored.bucket, stored.name))
        if entry is None or entry[0].generation != stored.generation:
            raise ObjectGone(f"gs://{stored.bucket}/{stored.name}#{stored.generation}")
        self.streamed.append(stored.name)
        return io.BytesIO(entry[1])

    def read(self, bucket: str, name: str) -> bytes | None:
        entry = self._stored.get((bucket, name))
        return entry[1] if entry else None

    def create(self, bucket: str, name: str, data: bytes, content_type: str) -> bool:
        with self._creating:
            if (bucket, name) in self._stored:
                return False
            self.upload(bucket, name, data)
        self.content_types[bucket, name] = content_type
        return True

    def create_from(self, bucket: str, name: str, chunks: Iterable[bytes], content_type: str) -> bool:
        if (bucket, name) in self._stored:
            return False
        return self.create(bucket, name, b"".join(chunks), content_type)
