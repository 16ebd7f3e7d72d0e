"""Objects whose event was lost are found by listing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from localcloud.reconcile import GRACE_SECONDS, BucketWatch


class Bucket:
    """A bucket listing of two objects a page, served as Cloud Storage serves it."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[int, float]] = {}
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                start = int(query.get("pageToken", ["0"])[0])
                items = [
                    {
                        "bucket": "b",
                        "name": name,
                        "generation": str(generation),
                        "updated": (datetime.now(UTC) - timedelta(seconds=age)).isoformat(),
                    }
                    for name, (generation, age) in bucket.objects.items()
                ]
                page: dict[str, object] = {"items": items[start : start + 2]}
                if start + 2 < len(items):
                    page["nextPageToken"] = str(start + 2)
                body = json.dumps(page).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, name: str, generation: int, age_seconds: float = 60) -> None:
        self.objects[name] = (generation, age_seconds)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    made = Bucket()
    yield made
    made.server.shutdown()
    made.server.server_close()


def names(watch: BucketWatch) -> list[str]:
    return [resource["name"] for resource in watch.unseen("b")]


def test_what_lay_there_before_the_trigger_is_no_news(bucket: Bucket, tmp_path: Path) -> None:
    """A new trigger does not fire for old objects, however many pages they fill."""
    for number in range(5):
        bucket.put(f"old{number}", 1)
    watch = BucketWatch(tmp_path / "db", bucket.address)
    watch.start("b")
    assert names(watch) == []


def test_a_lost_event_is_found_also_after_a_restart(bucket: Bucket, tmp_path: Path) -> None:
    """An object that appeared, or was replaced, while nobody listened is found once the watch is back."""
    bucket.put("kept", 1)
    BucketWatch(tmp_path / "db", bucket.address).start("b")
    bucket.put("kept", 2)
    bucket.put("new", 1)
    again = BucketWatch(tmp_path / "db", bucket.address)
    again.start("b")
    assert names(again) == ["kept", "new"]
    again.saw("b", "new", 1)
    assert names(again) == ["kept"]


def test_a_fresh_object_is_left_to_its_own_event(bucket: Bucket, tmp_path: Path) -> None:
    """Listing does not race with the message that is on its way."""
    watch = BucketWatch(tmp_path / "db", bucket.address)
    watch.start("b")
    bucket.put("fresh", 1, age_seconds=GRACE_SECONDS / 2)
    assert names(watch) == []


def test_an_older_message_does_not_hide_a_newer_object(bucket: Bucket, tmp_path: Path) -> None:
    """Messages may come out of order."""
    watch = BucketWatch(tmp_path / "db", bucket.address)
    watch.start("b")
    watch.saw("b", "n", 7)
    watch.saw("b", "n", 3)
    bucket.put("n", 7)
    assert names(watch) == []


def test_a_deleted_object_that_comes_back_is_news(bucket: Bucket, tmp_path: Path) -> None:
    """What is gone is forgotten."""
    watch = BucketWatch(tmp_path / "db", bucket.address)
    watch.start("b")
    watch.saw("b", "n", 7)
    assert names(watch) == []
    bucket.put("n", 5)
    assert names(watch) == ["n"]
