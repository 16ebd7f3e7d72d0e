"""Cloud Storage as the `Objects` port, over google-cloud-storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, BinaryIO, cast

from ..errors import Retryable
from ..ports import StoredObject

ONE_REQUEST_BYTES = 8 << 20  # the library sends more than this in several requests, each of this size
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
        from .download import Patience, download

        with _translated():
            # The library's own session: it carries the credentials, and renews them.
            patience = Patience(self._patience_seconds)
            with download(self._client._http, self._client.api_endpoint, stored, patience) as reader:
                yield reader

    def read(self, bucket: str, name: str) -> bytes | None:
        from google.api_core.exceptions import NotFound

        with _translated():
            try:
                return cast(bytes, self._client.bucket(bucket).blob(name).download_as_bytes(**self._limits))
            except NotFound:
                return None

    def create(self, bucket: str, name: str, data: bytes, content_type: str) -> bool:
        return self.create_from(bucket, name, (data,), content_type)

    def create_from(self, bucket: str, name: str, chunks: Iterable[bytes], content_type: str) -> bool:
        remaining = iter(chunks)
        head = bytearray()
        for chunk in remaining:
            head += chunk
            if len(head) > ONE_REQUEST_BYTES:
                return self._create_in_parts(bucket, name, head, remaining, content_type)
        return self._create_at_once(bucket, name, bytes(head), content_type)

    def _create_at_once(self, bucket: str, name: str, data: bytes, content_type: str) -> bool:
        from google.api_core.exceptions import PreconditionFailed

        blob = self._client.bucket(bucket).blob(name)
        with _translated():
            try:
                blob.upload_from_string(data, content_type=content_type, if_generation_match=0, **self._limits)
            except PreconditionFailed:
                return False
        return True

    def _create_in_parts(
        self, bucket: str, name: str, head: bytearray, remaining: Iterator[bytes], content_type: str
    ) -> bool:
        """Upload what does not fit one request. When the chunks end with an exception, nothing is created."""
        from google.api_core.exceptions import PreconditionFailed

        # A large upload is spared when it would be refused at its end. The local storage does not even refuse it: it
        # honours the precondition in uploads of one request only.
        if self.stat(bucket, name) is not None:
            return False
        blob = self._client.bucket(bucket).blob(name, chunk_size=ONE_REQUEST_BYTES)
        with _translated():
            try:
                with blob.open("wb", content_type=content_type, if_generation_match=0, **self._limits) as upload:
                    upload.write(head)
                    head.clear()
                    for chunk in remaining:
                        upload.write(chunk)
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
