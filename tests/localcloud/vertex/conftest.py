"""A local Vertex AI for each test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from vertex_harness import STUB_MODEL_SERVER, Bucket, LocalVertex, StartVertex, stub_worker

from localcloud.vertex.service import Settings


@pytest.fixture
def start_vertex(tmp_path: Path, storage_address: str) -> Iterator[StartVertex]:
    """Start a local Vertex AI over the test's folder; all are stopped with the test."""
    started: list[LocalVertex] = []

    def start(worker: Sequence[str] | None = None, **changes: Any) -> LocalVertex:
        settings = Settings(
            data=tmp_path,
            storage_address=storage_address,
            worker_command=worker or stub_worker(),
            model_server_command=changes.pop("model_server_command", STUB_MODEL_SERVER),
            **changes,
        )
        started.append(LocalVertex(settings))
        return started[-1]

    yield start
    for vertex in started:
        vertex.stop()


@pytest.fixture
def vertex(start_vertex: StartVertex) -> LocalVertex:
    return start_vertex()


@pytest.fixture
def bucket(storage_address: str) -> Bucket:
    return Bucket(storage_address)
