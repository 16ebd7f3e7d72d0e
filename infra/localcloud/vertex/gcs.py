"""The little of Cloud Storage that jobs need: data sets down, metrics up."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx

from ..clock import Clock
from ..http import GoogleError

# A storage server that is being started again answers within seconds; a job must not be lost for that.
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
TIMEOUT = httpx.Timeout(30.0, read=300.0)
_BOUNDARY = "vertex-metrics-part"
Answer = TypeVar("Answer")


def split_uri(uri: str) -> tuple[str, str]:
    """``gs://bucket/a/b`` -> ``("bucket", "a/b")``."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    return bucket, name


class Storage:
    """A Cloud Storage server without authentication, such as STORAGE_EMULATOR_HOST names."""

    def __init__(self, address: str | None, clock: Clock) -> None:
        self._address = None if address is None else address.rstrip("/")
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False)

    async def download(self, uri: str, target: Path) -> None:
        """Write the object to `target`; NOT_FOUND naming the URI when there is none."""
        bucket, name = split_uri(uri)
        url = self._url(f"/download/storage/v1/b/{_quoted(bucket)}/o/{_quoted(name)}?alt=media")

        async def attempt() -> None:
            async with self._http.stream("GET", url) as response:
                _check(response, uri)
                with target.open("wb") as file:
                    async for block in response.aiter_bytes():
                        file.write(block)

        await self._patiently(attempt)

    async def require_bucket(self, uri: str) -> None:
        """NOT_FOUND when the bucket of `uri` does not exist: better before training than after."""
        bucket, _ = split_uri(uri)
        _check(await self._send("GET", f"/storage/v1/b/{_quoted(bucket)}"), f"bucket gs://{bucket} of {uri}")

    async def create_bucket(self, bucket: str, project: str) -> None:
        """Make a bucket unless it exists."""
        path = f"/storage/v1/b?project={_quoted(project)}"
        response = await self._send("POST", path, json.dumps({"name": bucket}).encode(), "application/json")
        if response.status_code != httpx.codes.CONFLICT:
            _check(response, f"gs://{bucket}")

    async def upload(self, uri: str, data: bytes, content_type: str) -> None:
        """Write a whole object."""
        bucket, name = split_uri(uri)
        metadata = json.dumps({"name": name, "contentType": content_type})
        body = (
            f"--{_BOUNDARY}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{metadata}\r\n"
            f"--{_BOUNDARY}\r\nContent-Type: {content_type}\r\n\r\n"
        ).encode() + data
        body += f"\r\n--{_BOUNDARY}--\r\n".encode()
        path = f"/upload/storage/v1/b/{_quoted(bucket)}/o?uploadType=multipart"
        response = await self._send("POST", path, body, f"multipart/related; boundary={_BOUNDARY}")
        _check(response, uri)

    async def close(self) -> None:
        await self._http.aclose()

    async def _send(
        self, method: str, path: str, body: bytes | None = None, content_type: str | None = None
    ) -> httpx.Response:
        url = self._url(path)
        headers = {} if content_type is None else {"Content-Type": content_type}
        return await self._patiently(lambda: self._http.request(method, url, content=body, headers=headers))

    async def _patiently(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of an attempt, repeated while the connection fails; in the end UNAVAILABLE."""
        for pause in RETRY_SECONDS:
            try:
                return await attempt()
            except httpx.TransportError:
                await self._clock.sleep(pause)
        try:
            return await attempt()
        except httpx.TransportError as error:
            raise GoogleError("UNAVAILABLE", f"Cloud Storage at {self._address} does not answer: {error!r}") from error

    def _url(self, path: str) -> str:
        if self._address is None:
            raise GoogleError(
                "FAILED_PRECONDITION",
                "this local Vertex AI knows no Cloud Storage; start it with STORAGE_EMULATOR_HOST=http://127.0.0.1:PORT",
            )
        return self._address + path


def _check(response: httpx.Response, what: str) -> None:
    if response.status_code == httpx.codes.NOT_FOUND:
        raise GoogleError("NOT_FOUND", f"{what} does not exist")
    if response.is_error:
        raise GoogleError("UNAVAILABLE", f"{what}: Cloud Storage answered HTTP {response.status_code}")


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
