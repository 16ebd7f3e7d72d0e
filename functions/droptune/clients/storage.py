"""Cloud Storage as the `Objects` port, over google-cloud-storage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, BinaryIO, cast

from ..errors import ObjectGone, Retryable
from ..ports import StoredObject

CHUNK_BYTES = 1 << 20
ONE_REQUEST_BYTES = 8 << 20  # the library sends more than this in several requests
TIMEOUT_SECONDS = 60  # of silence in one request
PATIENCE_SECONDS = 30.0


class CloudStorage:
    """The bucket operations of one project; the client is built on first use. STORAGE_EMULATOR_HOST is honoured.

    A busy storage is asked again for `patience_seconds`, then the event is left to be delivered again: the library's
    own two minutes for each call would outlast the time that an event has.
    """

    def __init__(self, project: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._project = project
        self._patience_seconds = patience_seconds

    @cached_property
    def _limits(self) -> dict[str, Any]:
        """Of each call. Retries are safe for all of them: the one that writes carries a precondition."""
        from google.cloud.storage.retry import DEFAULT_RETRY

        return {"timeout": TIMEOUT_SECONDS, "retry": DEFAULT_RETRY.with_timeout(self._patience_seconds)}

    @cached_property
    def _client(self) -> Any:
        from google.cloud import storage

        return storage.Client(project=self._project)

    def stat(self, bucket: str, name: str) -> StoredObject | None:
        with _translated():
            blob = self._client.bucket(bucket).get_blob(name, **self._limits)
        return None if blob is None else _stored(blob)

    def list(self, bucket: str, prefix: str) -> Sequence[StoredObject]:
        with _translated():
            return [_stored(blob) for blob in self._client.list_blobs(bucket, prefix=prefix, **self._limits)]

    @contextmanager
    def stream(self, stored: StoredObject) -> Iterator[BinaryIO]:
        from google.api_core.exceptions import NotFound

        blob = self._client.bucket(stored.bucket).blob(stored.name, generation=stored.generation)
        with _translated():
            try:
                with blob.open("rb", chunk_size=CHUNK_BYTES, **self._limits) as reader:
                    yield cast(BinaryIO, reader)
            except NotFound as error:
                raise ObjectGone(
                    f"gs://{stored.bucket}/{stored.name} is no longer there at generation {stored.generation}"
                ) from error

    def read(self, bucket: str, name: str) -> bytes | None:
        from google.api_core.exceptions import NotFound

        with _translated():
            try:
                return cast(bytes, self._client.bucket(bucket).blob(name).download_as_bytes(**self._limits))
            except NotFound:
                return None

    def create(self, bucket: str, name: str, data: bytes, content_type: str) -> bool:
        from google.api_core.exceptions import PreconditionFailed

        # A large upload is spared when it would be refused at its end. The local storage does not even refuse it: it
        # honours the precondition in uploads of one request only.
        if len(data) > ONE_REQUEST_BYTES and self.stat(bucket, name) is not None:
            return False
        blob = self._client.bucket(bucket).blob(name)
        with _translated():
            try:
                blob.upload_from_string(data, content_type=content_type, if_generation_match=0, **self._limits)
            except PreconditionFailed:
                return False
        return True


def _stored(blob: Any) -> StoredObject:
    return StoredObject(
        bucket=blob.bucket.name,
        name=blob.name,
        generation=int(blob.generation),
        size_bytes=int(blob.size),
        metadata=dict(blob.metadata or {}),
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the library raises after its own retries into Retryable."""
    import requests
    from google.api_core.exceptions import RetryError, ServerError, TooManyRequests

    try:
        yield
    except (RetryError, ServerError, TooManyRequests, requests.RequestException) as error:
        raise Retryable(f"Cloud Storage: {error}") from error
