"""The local cloud with an emulator of the user's own in the place of the embedded one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pubsub_backends import NotInstalled, start_official
from stack_process import Stack


@pytest.fixture
def official(tmp_path: Path) -> Iterator[str]:
    """The address of Google's Pub/Sub emulator."""
    try:
        process, address = start_official(tmp_path)
    except NotInstalled as missing:
        pytest.skip(str(missing))
    yield address
    process.terminate()
    process.wait(20)


def test_an_object_travels_over_the_official_pubsub(official: str, tmp_path: Path) -> None:
    """PUBSUB_EMULATOR_HOST, set before the start, puts it in place; no embedded one is started beside it."""
    stack = Stack(tmp_path, {"PUBSUB_EMULATOR_HOST": official}).start()
    try:
        assert stack.addresses["pubsub"] == official
        assert not [process for process in stack.tree() if "pubsub" in process.cmdline()]
        stack.put("first")
        stack.travels("first")
        assert stack.notes() == {"seen first": 1, "hopped first": 1}
    finally:
        assert stack.stop() == 0
