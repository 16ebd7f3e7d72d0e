"""Reading an object over HTTP: one generation, whatever happens to the connection, and no byte that is not its own."""

from __future__ import annotations

import base64
import gzip
import io
import random
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import google_crc32c
import pytest
import requests
from google.api_core.exceptions import Forbidden
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.clients.download import MOST_BREAKS, SKIPPED_BYTES, Patience, download
from droptune.errors import ObjectGone, Retryable
from droptune.ports import StoredObject

DATA = random.Random(7).randbytes(3 << 20)


@dataclass(frozen=True)
class Reply:
    """How a request is answered: a status without bytes, or the bytes asked for, of which only `sent` arrive."""

    status: int | None = None
    sent: int | None = None
    data: bytes = DATA
    ignores_range: bool = False


WHOLE = Reply()


@dataclass
class Bucket:
    """A storage that answers its requests as `replies` say, the last of them for ever; it keeps what was asked."""

    replies: list[Reply] = field(default_factory=lambda: [WHOLE])
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    endpoint: str = ""
    told: bytes = DATA

    def read(self, stored: StoredObject | None = None, pieces: int = 1 << 20) -> bytes:
        """The object as it is read in pieces; a clock that only sleeping moves."""
        patience = Patience(30.0, clock=lambda: sum(self.slept), sleep=self.slept.append)
        with requests.Session() as session:
            session.trust_env = False
            stored = stored or StoredObject("in", "rows.jsonl", 7, len(DATA))
            with download(session, self.endpoint, stored, patience) as reader:
                return b"".join(iter(lambda: reader.read(pieces), b""))


@contextmanager
def serving() -> Iterator[Bucket]:
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply = bucket.replies.pop(0) if len(bucket.replies) > 1 else bucket.replies[0]
            range_ = self.headers.get("Range")
            bucket.asked.append((self.path, range_))
            start = int(range_.removeprefix("bytes=").removesuffix("-")) if range_ and not reply.ignores_range else 0
            body = b"" if reply.status else reply.data[start:]
            self.send_response(reply.status or (206 if start else 200))
            checksum = google_crc32c.value(bucket.told).to_bytes(4, "big")
            self.send_header("X-Goog-Hash", f"crc32c={base64.b64encode(checksum).decode()},md5=AAAA")
            if self.headers["Accept-Encoding"] == "gzip" and body.startswith(b"\x1f\x8b"):
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: reply.sent])
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    bucket.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serving() as bucket:
        yield bucket


@pytest.mark.parametrize("pieces", [1000, 256 << 10, 1 << 20, 5 << 20])
def test_an_object_is_read_whole_with_one_request(bucket: Bucket, pieces: int) -> None:
    """Whatever the size of reads, one response serves them all, and it is asked for at the generation."""
    assert bucket.read(pieces=pieces) == DATA
    assert bucket.asked == [("/download/storage/v1/b/in/o/rows.jsonl?alt=media&generation=7", None)]


def test_any_name_is_one_part_of_the_address(bucket: Bucket) -> None:
    """Slashes, spaces and signs of a name are no part of the address's own syntax."""
    bucket.read(StoredObject("in", "a b/größe?x=1&y#z%", 7, len(DATA)))
    [(path, _)] = bucket.asked
    assert path == "/download/storage/v1/b/in/o/a%20b%2Fgr%C3%B6%C3%9Fe%3Fx%3D1%26y%23z%25?alt=media&generation=7"


def test_lines_are_read_across_pieces(bucket: Bucket) -> None:
    """Evaluation reads line by line what validation reads in blocks."""
    with requests.Session() as session:
        stored = StoredObject("in", "rows.jsonl", 7, len(DATA))
        with download(session, bucket.endpoint, stored, Patience(1)) as reader:
            assert list(reader) == list(io.BytesIO(DATA))


def read_at(bucket: Bucket, places: Iterable[int], size_bytes: int) -> list[bytes]:
    """Some bytes at each place, in one opening."""
    with requests.Session() as session:
        session.trust_env = False
        stored = StoredObject("in", "rows.jsonl", 7, size_bytes)
        with download(session, bucket.endpoint, stored, Patience(1)) as reader:
            return [reader.read(1000) for place in places if reader.seek(place) == place]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(DATA)), max_size=6))
def test_places_are_read_in_any_order(places: list[int]) -> None:
    """Ahead or back, within what was read already or far from it: the bytes are those of the place."""
    with serving() as bucket:
        assert read_at(bucket, places, len(DATA)) == [DATA[place : place + 1000] for place in places]


def test_a_place_near_ahead_needs_no_request_and_a_far_one_a_single_one(bucket: Bucket) -> None:
    """What is skipped is read as long as that is quicker than asking again, at the same generation."""
    data = random.Random(8).randbytes(2 * SKIPPED_BYTES + (1 << 20))
    bucket.replies = [Reply(data=data)]
    near, far = SKIPPED_BYTES // 2, 2 * SKIPPED_BYTES
    assert read_at(bucket, [0, near, near + 500, far], len(data)) == [
        data[place : place + 1000] for place in (0, near, near + 500, far)
    ]
    (first, none), (second, ranged) = bucket.asked
    assert first == second and none is None
    assert ranged == f"bytes={far}-"


def test_only_what_is_read_as_a_whole_is_held_against_the_checksum(bucket: Bucket) -> None:
    """The checksum is the whole object's, and says nothing of a part."""
    bucket.told = b"other bytes"
    assert read_at(bucket, [len(DATA) - 10], len(DATA)) == [DATA[-10:]]
    with pytest.raises(Retryable, match="crc32c"):
        bucket.read()


def test_no_place_is_beyond_the_end(bucket: Bucket) -> None:
    """A position that the object does not have is refused rather than asked for."""
    for place in (-1, len(DATA) + 1):
        with pytest.raises(OSError, match="positions"):
            read_at(bucket, [place], len(DATA))
    assert read_at(bucket, [len(DATA)], len(DATA)) == [b""]


@pytest.mark.parametrize("sent", [0, 1, 100_000, 2 << 20])
def test_a_broken_connection_is_resumed_where_it_stopped(bucket: Bucket, sent: int) -> None:
    """What has arrived is not asked for again, and the bytes are those of an unbroken reading."""
    bucket.replies = [Reply(sent=sent), WHOLE]
    assert bucket.read() == DATA
    first, second = (range_ for _, range_ in bucket.asked)
    start = int(second.removeprefix("bytes=").removesuffix("-")) if second else 0
    assert first is None
    assert start <= sent
    assert {path for path, _ in bucket.asked} == {bucket.asked[0][0]}


def test_a_connection_may_break_any_number_of_times_while_bytes_come(bucket: Bucket) -> None:
    """Every break that brought something on the way is forgiven."""
    bucket.replies = [Reply(sent=(1 << 20) + 1000)]
    assert bucket.read() == DATA
    assert len(bucket.asked) == 3


def test_a_connection_that_brings_nothing_is_given_up(bucket: Bucket) -> None:
    """The event is given back after a bounded number of attempts, with growing pauses."""
    bucket.replies = [Reply(sent=0)]
    with pytest.raises(Retryable, match=r"rows\.jsonl.*broke off"):
        bucket.read()
    assert len(bucket.asked) == MOST_BREAKS + 1
    assert len(bucket.slept) == MOST_BREAKS - 1
    assert bucket.slept[-1] > bucket.slept[0]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_storage_is_asked_again(bucket: Bucket, status: int) -> None:
    """Twice busy and then ready is no failure, at the beginning or where a connection broke."""
    busy = Reply(status=status)
    bucket.replies = [busy, busy, Reply(sent=1 << 20), busy, WHOLE]
    assert bucket.read() == DATA
    assert len(bucket.asked) == 5


def test_a_storage_that_stays_busy_is_left_within_patience(bucket: Bucket) -> None:
    """Waiting ends before the patience does, and the status is told."""
    bucket.replies = [Reply(status=503)]
    with pytest.raises(Retryable, match="503"):
        bucket.read()
    assert 20 < sum(bucket.slept) <= 30


@pytest.mark.parametrize("status", [404, 412])
@pytest.mark.parametrize("before", [[], [Reply(sent=1 << 20)]], ids=["at once", "midway"])
def test_a_replaced_object_is_gone(bucket: Bucket, status: int, before: list[Reply]) -> None:
    """Once the generation is not there any more nothing is read of another one, also in the middle."""
    bucket.replies = [*before, Reply(status=status)]
    with pytest.raises(ObjectGone, match=r"gs://in/rows\.jsonl"):
        bucket.read()


def test_wrong_bytes_are_not_taken_for_the_object(bucket: Bucket) -> None:
    """A reading that ends with another checksum is to be done again; both checksums are named."""
    wrong = DATA[:-1] + bytes([DATA[-1] ^ 1])
    bucket.replies = [Reply(data=wrong)]
    told = [f"{google_crc32c.value(data):08x}" for data in (wrong, DATA)]
    with pytest.raises(Retryable, match=f"{told[0]} instead of {told[1]}"):
        bucket.read()


def test_bytes_of_another_object_after_a_break_are_noticed(bucket: Bucket) -> None:
    """The checksum is that of the generation which was opened, not of whatever a resumed response tells."""
    other = random.Random(8).randbytes(len(DATA))
    bucket.replies = [Reply(sent=1 << 20), Reply(data=other)]
    with pytest.raises(Retryable, match="crc32c"):
        bucket.read()


def test_a_resumed_response_must_begin_at_the_position(bucket: Bucket) -> None:
    """A server that sends everything again is not believed."""
    bucket.replies = [Reply(sent=1 << 20), Reply(ignores_range=True)]
    with pytest.raises(Retryable, match="answered 200"):
        bucket.read()


def test_a_compressed_object_is_seen_as_it_is_stored(bucket: Bucket) -> None:
    """What was uploaded as gzip is not unpacked on the way: the rules for files say what to do about it."""
    packed = gzip.compress(DATA)
    bucket.told = packed
    bucket.replies = [Reply(data=packed)]
    assert bucket.read() == packed


def test_a_missing_permission_is_told_as_it_is(bucket: Bucket) -> None:
    """Asking again would not help."""
    bucket.replies = [Reply(status=403)]
    with pytest.raises(Forbidden):
        bucket.read()
    assert len(bucket.asked) == 1


def test_an_unreachable_storage_is_retryable() -> None:
    """A refused connection is repeated within patience."""
    bucket = Bucket(endpoint="http://127.0.0.1:1")
    with pytest.raises(Retryable, match="unreachable"):
        bucket.read()
    assert len(bucket.slept) > 3
