"""An object's bytes over one HTTP response: exactly its generation, resumed where it breaks off, checked at the end.

The client library's own reader (``blob.open``) asks for the object piece by piece and costs more processor time than
judging the rows does.
"""

from __future__ import annotations

import io
import random
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import google_crc32c

from ..errors import ObjectGone, Retryable
from ..ports import StoredObject

if TYPE_CHECKING:
    import requests
    from _typeshed import WriteableBuffer

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 8.0
BUSY = frozenset({408, 429, 500, 502, 503, 504})
GONE = frozenset({404, 412})
# A connection that breaks again before it brought this much made no progress.
PROGRESS_BYTES = 1 << 20
MOST_BREAKS = 6
# Reads of at least this many bytes bypass the buffer, which is there for those who read line by line.
BUFFER_BYTES = 128 << 10
# Larger pieces are fresh memory from the system each time, whose pages cost more than the calls that they save.
MOST_AT_ONCE = 256 << 10
# What lies between is read and dropped up to this distance: a request takes as long as some megabytes.
SKIPPED_BYTES = 4 << 20


@dataclass(frozen=True)
class Patience:
    """How long a storage that is busy or unreachable is asked again, and the clock that this is measured with."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def media_url(endpoint: str, stored: StoredObject) -> str:
    """Where the bytes of an object's generation are, below the JSON API's endpoint."""
    bucket, name = (urllib.parse.quote(part, safe="") for part in (stored.bucket, stored.name))
    return f"{endpoint}/download/storage/v1/b/{bucket}/o/{name}?alt=media&generation={stored.generation}"


def download(session: requests.Session, endpoint: str, stored: StoredObject, patience: Patience) -> io.BufferedReader:
    """A reader of the object's bytes as they are stored: what was uploaded with ``Content-Encoding: gzip`` stays so.

    It can seek, to an absolute position: a short way ahead at the cost of reading it, else at that of a request. Only
    an object that is read from its first byte to its last is held against its checksum.

    Opening and reading raise ObjectGone when this generation is not there (any more), and Retryable when storage is
    busy or unreachable for longer than `patience`, or when the bytes do not have the checksum that storage told.
    """
    return io.BufferedReader(_Download(session, media_url(endpoint, stored), stored, patience), BUFFER_BYTES)


class _Download(io.RawIOBase):
    def __init__(self, session: requests.Session, url: str, stored: StoredObject, patience: Patience) -> None:
        self._session = session
        self._url = url
        self._stored = stored
        self._patience = patience
        self._position = 0
        self._crc = 0
        self._breaks = 0
        self._broke_at = 0
        self._response = self._connected()
        self._expected_crc = _crc32c_of(self._response)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET or not 0 <= offset <= self._stored.size_bytes:
            raise io.UnsupportedOperation(f"only positions from 0 to {self._stored.size_bytes:,} can be sought")
        distance = offset - self._position
        if distance:
            self._expected_crc = None
        if 0 <= distance <= SKIPPED_BYTES or offset == self._stored.size_bytes:
            dropped = memoryview(bytearray(MOST_AT_ONCE))
            while self._position < offset and self.readinto(dropped[: offset - self._position]):
                pass
        else:
            self._response.close()
            self._position = offset
            self._response = self._connected()
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        import urllib3

        target = memoryview(buffer)
        while target:
            try:
                piece: bytes = self._response.raw.read(min(len(target), MOST_AT_ONCE), decode_content=False)
            except urllib3.exceptions.HTTPError as error:
                self._resume(error)
                continue
            if not piece:
                self._check()
            target[: len(piece)] = piece
            self._position += len(piece)
            self._crc = google_crc32c.extend(self._crc, piece)
            return len(piece)
        return 0

    def close(self) -> None:
        if not self.closed:
            self._response.close()
        super().close()

    def _connected(self) -> requests.Response:
        """A response with the bytes from the position on; failures are repeated as long as patience lasts."""
        import requests
        from google.auth.exceptions import TransportError

        began = self._patience.clock()
        attempt = 0
        while True:
            try:
                response = self._request()
            except (requests.ConnectionError, requests.Timeout, TransportError) as error:
                problem = f"unreachable: {type(error).__name__}"
            else:
                if response.status_code == (206 if self._position else 200):
                    return response
                problem = f"answered {response.status_code}"
                self._judge(response)
            delay = _delay(attempt)
            if self._patience.clock() - began + delay > self._patience.seconds:
                self._give_up(problem)
            self._patience.sleep(delay)
            attempt += 1

    def _request(self) -> requests.Response:
        # Without accepting gzip, storage would unpack what is stored as gzip, and ignore ranges.
        headers = {"Accept-Encoding": "gzip"}
        if self._position:
            headers["Range"] = f"bytes={self._position}-"
        return self._session.get(self._url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, SILENCE_SECONDS))

    def _judge(self, response: requests.Response) -> None:
        """Return when it may help to ask again, else raise what the answer means."""
        from google.api_core.exceptions import from_http_response

        status = response.status_code
        with response:
            if status in GONE:
                raise ObjectGone(f"{self._place} is no longer there")
            if response.ok:
                self._give_up(f"answered {status} to a request for the bytes from {self._position:,} on")
            if status not in BUSY:
                raise from_http_response(response)

    def _resume(self, error: Exception) -> None:
        """Go on at the position, unless connections keep breaking without bringing anything."""
        self._response.close()
        if self._position - self._broke_at >= PROGRESS_BYTES:
            self._breaks = 0
        self._breaks += 1
        self._broke_at = self._position
        if self._breaks > MOST_BREAKS:
            self._give_up(f"broke off {self._breaks} times around byte {self._position:,}: {type(error).__name__}")
        if self._breaks > 1:
            self._patience.sleep(_delay(self._breaks - 2))
        self._response = self._connected()

    def _check(self) -> None:
        """The whole object was read: Retryable when it is not what storage says it is."""
        if self._expected_crc is not None and self._crc != self._expected_crc:
            self._give_up(f"crc32c is {self._crc:08x} instead of {self._expected_crc:08x}")

    def _give_up(self, problem: str) -> NoReturn:
        raise Retryable(f"Cloud Storage: {self._place}: {problem}")

    @property
    def _place(self) -> str:
        return f"gs://{self._stored.bucket}/{self._stored.name} at generation {self._stored.generation}"


def _delay(attempt: int) -> float:
    return min(FIRST_DELAY_SECONDS * (1 << attempt), LONGEST_DELAY_SECONDS) * random.uniform(0.5, 1.0)


def _crc32c_of(response: requests.Response) -> int | None:
    """The checksum of the whole object as ``X-Goog-Hash: crc32c=…,md5=…`` tells it, if it does."""
    import base64

    for part in response.headers.get("X-Goog-Hash", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "crc32c":
            return int.from_bytes(base64.b64decode(value), "big")
    return None
