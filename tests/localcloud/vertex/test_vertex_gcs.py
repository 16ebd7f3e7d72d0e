"""The storage client of tuning jobs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from vertex_harness import Bucket

from localcloud.clock import ManualClock, RealClock
from localcloud.http import GoogleError
from localcloud.process import free_port
from localcloud.vertex.gcs import RETRY_SECONDS, Storage, split_uri


def test_objects_with_any_name(storage_address: str, bucket: Bucket, tmp_path: Path) -> None:
    """Names with slashes, spaces and other letters go up and come down unchanged."""

    async def there_and_back() -> bytes:
        storage = Storage(storage_address, RealClock())
        uri = f"gs://{bucket.name}/a b/ü%/x.jsonl"
        await storage.upload(uri, b"{}\r\n--\n", "application/jsonl")
        await storage.download(uri, tmp_path / "x")
        await storage.create_bucket(bucket.name, "p")
        await storage.close()
        return (tmp_path / "x").read_bytes()

    assert asyncio.run(there_and_back()) == b"{}\r\n--\n"


def test_storage_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    """A storage server that is down is waited for, in growing pauses, and then called unavailable."""

    async def ask() -> tuple[float, GoogleError]:
        clock = ManualClock(0)
        storage = Storage(f"http://127.0.0.1:{free_port()}", clock)
        asking = asyncio.create_task(storage.download("gs://b/x", tmp_path / "x"))
        while not asking.done():
            if (deadline := clock.next_deadline()) is not None:
                await clock.advance(deadline - clock.now())
            await asyncio.sleep(0)
        with pytest.raises(GoogleError) as refused:
            await asking
        await storage.close()
        return clock.now(), refused.value

    seconds, error = asyncio.run(ask())
    assert seconds == sum(RETRY_SECONDS) and error.status == "UNAVAILABLE"


def test_no_storage_at_all() -> None:
    """Without an address the refusal says which variable to set."""
    with pytest.raises(GoogleError, match="STORAGE_EMULATOR_HOST"):
        asyncio.run(Storage(None, RealClock()).require_bucket("gs://b/x"))


def test_uris() -> None:
    """The bucket ends at the first slash."""
    assert split_uri("gs://b/a/c.jsonl") == ("b", "a/c.jsonl")
