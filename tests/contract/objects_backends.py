"""The two implementations of the `Objects` port that the contract compares, each with what only users do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from fakes import MemoryObjects

from droptune.clients.storage import CloudStorage
from droptune.ports import Objects, StoredObject


class Backend(Protocol):
    """The port, one bucket of its own, and uploads and deletions as users make them."""

    objects: Objects
    bucket: str

    def upload(self, name: str, data: bytes, metadata: Mapping[str, str] | None = None) -> StoredObject:
        """Write or replace an object; the port's view of it at that generation."""
        ...

    def delete(self, name: str) -> None: ...

    def content_type(self, name: str) -> str: ...


class Memory:
    """The fake that the tests of the use cases rely on."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()
        self.bucket = "memory"

    def upload(self, name: str, data: bytes, metadata: Mapping[str, str] | None = None) -> StoredObject:
        return self.objects.upload(self.bucket, name, data, metadata)

    def delete(self, name: str) -> None:
        self.objects.delete(self.bucket, name)

    def content_type(self, name: str) -> str:
        return self.objects.content_types[self.bucket, name]


class Local:
    """The real client and the local storage server; STORAGE_EMULATOR_HOST must name it while this is built."""

    def __init__(self) -> None:
        from google.cloud import storage

        self.bucket = f"contract-{uuid.uuid4().hex[:8]}"
        client: Any = storage.Client(project="contract")
        self._bucket = client.create_bucket(self.bucket)
        self.objects = CloudStorage("contract")
        self.objects.stat(self.bucket, "anything")  # builds the client, which is when it reads the environment

    def upload(self, name: str, data: bytes, metadata: Mapping[str, str] | None = None) -> StoredObject:
        blob = self._bucket.blob(name)
        blob.metadata = dict(metadata) if metadata else None
        blob.upload_from_string(data)
        return StoredObject(self.bucket, name, int(blob.generation), len(data), dict(metadata or {}))

    def delete(self, name: str) -> None:
        self._bucket.blob(name).delete()

    def content_type(self, name: str) -> str:
        return str(self._bucket.get_blob(name).content_type)


BACKENDS = {"memory": Memory, "local": Local}
