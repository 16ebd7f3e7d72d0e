"""The embedded Pub/Sub in the test's own event loop, with time that the test drives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_pubsub import Local


@pytest.fixture
def anyio_backend() -> str:
    """Tests marked anyio run on asyncio."""
    return "asyncio"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """A broker on a hand-driven clock."""
    broker = Local(tmp_path)
    yield broker
    broker.close()
