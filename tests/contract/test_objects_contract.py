"""What the use cases rely on in Cloud Storage, held against the fake of the tests and against the real client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from objects_backends import BACKENDS, Backend

from droptune.clients.storage import CloudStorage
from droptune.errors import ObjectGone, Retryable
from droptune.ports import Objects, StoredObject

TEXT = "text/plain"
STRANGE_NAMES = ("two words.jsonl", "größe/日本.jsonl", "a#b", "a?b=c&d", "100%", "a%2Fb", "plus+plus", "a'b\"c")


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest, storage_address: str, monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_address)
    made: Backend = BACKENDS[request.param]()
    return made


def streamed(objects: Objects, stored: StoredObject) -> bytes:
    with objects.stream(stored) as reader:
        return reader.read()


def test_stat_tells_what_was_uploaded(backend: Backend) -> None:
    """Name, generation, size and the user's metadata."""
    uploaded = backend.upload("dir/n.jsonl", b"rows\n", {"droptune-epochs": "3"})
    assert backend.objects.stat(backend.bucket, "dir/n.jsonl") == uploaded
    assert uploaded.size_bytes == 5
    assert uploaded.metadata == {"droptune-epochs": "3"}


def test_what_is_not_there_is_none_rather_than_an_error(backend: Backend) -> None:
    """Neither stat nor read fail on an absent object, and a listing of nothing is empty."""
    assert backend.objects.stat(backend.bucket, "absent") is None
    assert backend.objects.read(backend.bucket, "absent") is None
    assert list(backend.objects.list(backend.bucket, "absent")) == []


def test_each_upload_is_a_newer_generation(backend: Backend) -> None:
    """An object that was replaced is told from what it was."""
    first, second = (backend.upload("n", data) for data in (b"one", b"two"))
    assert first.generation < second.generation
    assert backend.objects.stat(backend.bucket, "n") == second


def test_a_listing_holds_the_prefix_in_name_order(backend: Backend) -> None:
    """A prefix is plain text, not a folder; the order is that of the names' characters."""
    for name in ("set/train.jsonl", "set/eval.jsonl", "set-2/train.jsonl", "set0", "other", "se"):
        backend.upload(name, b"x", {"for": name})
    found = backend.objects.list(backend.bucket, "set")
    assert [stored.name for stored in found] == ["set-2/train.jsonl", "set/eval.jsonl", "set/train.jsonl", "set0"]
    assert all(stored.metadata == {"for": stored.name} for stored in found)
    assert [stored.name for stored in backend.objects.list(backend.bucket, "set/")] == [
        "set/eval.jsonl",
        "set/train.jsonl",
    ]


def test_a_stream_gives_lines_across_its_chunks(backend: Backend) -> None:
    """What is read in pieces is the whole, byte for byte."""
    line = b"x" * 999 + b"\n"
    data = line * 2_500
    with backend.objects.stream(backend.upload("long", data)) as reader:
        assert reader.readline() == line
        assert b"".join(iter(lambda: reader.read(70_000), b"")) == data[len(line) :]


def test_a_stream_can_be_read_from_any_place_on(backend: Backend) -> None:
    """Rows that may be repeated are looked up again where they stand."""
    data = bytes(range(256)) * 40_000
    with backend.objects.stream(backend.upload("places", data)) as reader:
        for place in (700, 100_000, 9_000_001, 9_000_002, 3):
            reader.seek(place)
            assert reader.read(600) == data[place : place + 600]


def test_an_empty_object_streams_nothing(backend: Backend) -> None:
    """Size zero is not an error."""
    assert streamed(backend.objects, backend.upload("empty", b"")) == b""
    assert backend.objects.read(backend.bucket, "empty") == b""


def test_a_replaced_generation_is_gone(backend: Backend) -> None:
    """An old event never reads the new bytes."""
    old = backend.upload("n", b"old")
    new = backend.upload("n", b"new")
    with pytest.raises(ObjectGone, match="n"):
        streamed(backend.objects, old)
    assert streamed(backend.objects, new) == b"new"


def test_a_deleted_object_is_gone(backend: Backend) -> None:
    """And so is one that was deleted and is not there at all."""
    stored = backend.upload("n", b"x")
    backend.delete("n")
    with pytest.raises(ObjectGone, match="n"):
        streamed(backend.objects, stored)
    assert backend.objects.read(backend.bucket, "n") is None


@pytest.mark.parametrize("size", [3, 9 << 20], ids=["small", "larger than one request"])
def test_an_object_is_created_once(backend: Backend, size: int) -> None:
    """The second time says False and leaves the first content, however large the data is."""
    first = b"1" * size
    assert backend.objects.create(backend.bucket, "once.json", first, "application/json") is True
    assert backend.objects.create(backend.bucket, "once.json", b"2" * size, TEXT) is False
    assert backend.objects.read(backend.bucket, "once.json") == first
    assert backend.content_type("once.json") == "application/json"


def chunks_of(data: bytes, size: int = 300_000) -> Iterator[bytes]:
    yield from (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [0, 3, 9 << 20, 16 << 20], ids=["none", "small", "two requests", "whole requests"])
def test_an_object_is_created_from_chunks_once(backend: Backend, size: int) -> None:
    """What comes piece by piece is one object with the bytes in order, and never replaces another."""
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert backend.objects.create_from(backend.bucket, "parts.jsonl", chunks_of(data), TEXT) is True
    assert backend.objects.create_from(backend.bucket, "parts.jsonl", chunks_of(data + b"other"), TEXT) is False
    assert backend.objects.read(backend.bucket, "parts.jsonl") == data
    assert backend.content_type("parts.jsonl") == TEXT


@pytest.mark.parametrize("size", [3, 20 << 20], ids=["small", "larger than one request"])
def test_chunks_that_end_with_an_exception_create_nothing(backend: Backend, size: int) -> None:
    """Half an object is never there for somebody else to read."""

    def broken() -> Iterator[bytes]:
        yield from chunks_of(b"x" * size)
        raise ObjectGone("the source")

    with pytest.raises(ObjectGone, match="the source"):
        backend.objects.create_from(backend.bucket, "half", broken(), TEXT)
    assert backend.objects.stat(backend.bucket, "half") is None
    assert backend.objects.create_from(backend.bucket, "half", chunks_of(b"whole"), TEXT)


def test_of_two_that_create_at_once_one_wins(backend: Backend) -> None:
    """Exactly one hears True, and its content is what stays."""
    for round_ in range(10):
        together = threading.Barrier(2)

        def create(content: bytes, name: str = f"race-{round_}", together: threading.Barrier = together) -> bool:
            together.wait()
            return backend.objects.create(backend.bucket, name, content, TEXT)

        with ThreadPoolExecutor(2) as pool:
            won = dict(zip((b"a", b"b"), pool.map(create, (b"a", b"b")), strict=True))
        assert sorted(won.values()) == [False, True]
        assert won[backend.objects.read(backend.bucket, f"race-{round_}") or b""]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_name_is_any_text(backend: Backend, name: str) -> None:
    """Nothing in a name is taken for an address, a query or an escape."""
    assert backend.objects.create(backend.bucket, name, name.encode(), TEXT)
    assert not backend.objects.create(backend.bucket, name, b"other", TEXT)
    stored = backend.objects.stat(backend.bucket, name)
    assert stored is not None
    assert stored.name == name
    assert streamed(backend.objects, stored) == backend.objects.read(backend.bucket, name) == name.encode()
    assert [found.name for found in backend.objects.list(backend.bucket, name[:2])] == [name]


CALLS: dict[str, Callable[[Objects], object]] = {
    "stat": lambda objects: objects.stat("b", "n"),
    "list": lambda objects: objects.list("b", ""),
    "stream": lambda objects: streamed(objects, StoredObject("b", "n", 1, 1)),
    "read": lambda objects: objects.read("b", "n"),
    "create": lambda objects: objects.create("b", "n", b"x", TEXT),
    "create in parts": lambda objects: objects.create("b", "n", b"x" * (9 << 20), TEXT),
    "create from chunks": lambda objects: objects.create_from("b", "n", chunks_of(b"x" * (17 << 20)), TEXT),
}


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """A storage that answers every request with the status it is told."""
    status = [503]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    yield lambda code: status.__setitem__(0, code)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("call", CALLS)
def test_a_busy_storage_is_retryable_within_its_patience(
    failing: Callable[[int], None], call: str, status: int
) -> None:
    """No entry point hangs on a storage that stays busy: the event is given back instead."""
    failing(status)
    began = time.monotonic()
    with pytest.raises(Retryable, match="Cloud Storage"):
        CALLS[call](CloudStorage("p", patience_seconds=0.1))
    assert time.monotonic() - began < 10  # the library's own patience is 120 s


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("call", CALLS)
def test_a_request_that_is_refused_is_not_retryable(failing: Callable[[int], None], call: str, status: int) -> None:
    """A wrong request, or a missing role, is an error with its traceback, since asking again would change nothing."""
    from google.api_core.exceptions import ClientError

    failing(status)
    with pytest.raises(ClientError):
        CALLS[call](CloudStorage("p"))


@pytest.mark.parametrize("call", CALLS)
def test_a_storage_that_cannot_be_reached_is_retryable(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is treated as a busy storage."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    with pytest.raises(Retryable, match="Cloud Storage"):
        CALLS[call](CloudStorage("p", patience_seconds=0.1))
