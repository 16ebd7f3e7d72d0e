"""Fixtures of the end-to-end tests: whole local clouds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cloud_process import DEMO, Cloud


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model of half a million weights."""
    from localcloud.vertex.tiny_base import make_tiny_base

    texts = (DEMO / "train.jsonl").read_text().splitlines()
    return make_tiny_base(tmp_path_factory.mktemp("base") / "tiny", texts)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Iterator[Cloud]:
    """One cloud for all tests that leave it running."""
    made = Cloud(tmp_path_factory.mktemp("cloud"), tiny_base)
    yield made
    made.stop()


@pytest.fixture
def own_cloud(tmp_path: Path, tiny_base: Path) -> Iterator[Cloud]:
    """A cloud that the test may break."""
    made = Cloud(tmp_path / "cloud", tiny_base)
    yield made
    made.stop()
