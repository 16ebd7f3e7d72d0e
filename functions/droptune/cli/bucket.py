"""Buckets through google-cloud-storage: reading the runs bucket, uploading to the intake bucket."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage.retry import DEFAULT_RETRY

from .connection import Connection
from .group import CliError
from .ledger import Entry
from .reader import RunsReader

RETRY = DEFAULT_RETRY.with_timeout(20.0)  # the library's 120 seconds look like a hang
TIMEOUT_SECONDS = 60


class CloudBucket:
    """One bucket. What goes wrong in reaching it is a CliError."""

    def __init__(self, client: Any, name: str) -> None:
        self.name = name
        self._client = client
        self._bucket = client.bucket(name)

    def folders(self) -> list[str]:
        """The names before the first ``/``."""
        with _reaching(self.name):
            pages = self._client.list_blobs(
                self.name, delimiter="/", fields="prefixes,nextPageToken", timeout=TIMEOUT_SECONDS, retry=RETRY
            )
            list(pages)  # prefixes are known once all pages are read
            return [prefix.rstrip("/") for prefix in pages.prefixes]

    def list(self, folder: str) -> list[Entry]:
        """The objects below a folder, without their bytes, named relative to it."""
        with _reaching(self.name):
            blobs = self._client.list_blobs(self.name, prefix=f"{folder}/", timeout=TIMEOUT_SECONDS, retry=RETRY)
            return [Entry(blob.name.removeprefix(f"{folder}/"), blob.time_created.timestamp()) for blob in blobs]

    def read(self, name: str) -> bytes:
        """An object's bytes; KeyError when it is not there."""
        with _reaching(self.name):
            try:
                data = self._bucket.blob(name).download_as_bytes(timeout=TIMEOUT_SECONDS, retry=RETRY)
            except NotFound as error:
                raise KeyError(name) from error
            return bytes(data)

    def created(self, name: str, generation: int) -> float | None:
        """When that generation of an object was written; None when it is gone."""
        with _reaching(self.name):
            blob = self._bucket.get_blob(name, generation=generation, timeout=TIMEOUT_SECONDS, retry=RETRY)
            return None if blob is None else float(blob.time_created.timestamp())

    def delete(self, name: str) -> None:
        """Delete an object, if it is there."""
        with _reaching(self.name), contextlib.suppress(NotFound):
            self._bucket.blob(name).delete(timeout=TIMEOUT_SECONDS, retry=RETRY)

    def upload(self, path: Path, name: str, metadata: Mapping[str, str]) -> int:
        """Upload a file as `name`, replacing what is there; the generation that it got."""
        with _reaching(self.name):
            blob = self._bucket.blob(name)
            if metadata:
                blob.metadata = dict(metadata)
            kind = "application/yaml" if path.suffix == ".yaml" else "application/jsonl"
            blob.upload_from_filename(str(path), content_type=kind, timeout=TIMEOUT_SECONDS, retry=RETRY)
            return int(blob.generation)


def reader_of(connection: Connection) -> RunsReader:
    """The runs of a deployment."""
    client = connection.storage_client()
    return RunsReader(CloudBucket(client, connection.runs), CloudBucket(client, connection.intake))


@contextmanager
def _reaching(bucket: str) -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise CliError(
            f"bucket {bucket}: {error.message}. Is this the right project? Look with `droptune doctor`."
        ) from error
    except GoogleAuthError as error:
        raise CliError(
            f"no credentials for bucket {bucket}: {error}. Run `gcloud auth application-default login`."
        ) from error
    except (GoogleAPICallError, RetryError, requests.RequestException) as error:
        raise CliError(f"bucket {bucket} cannot be reached: {error}. Look with `droptune doctor`.") from error
