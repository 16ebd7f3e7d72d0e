"""Fixtures shared by all tests: services of the local cloud as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from localcloud.process import child_environment

# A busy machine is no failure.
settings.register_profile("droptune", deadline=None)
settings.load_profile("droptune")
# Nobody's window has a width here: shells export theirs, and pytest-xdist gives its processes one.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

StartService = Callable[..., "Service"]


class Service:
    """One ``python -m localcloud NAME`` process; `addresses` is what it announced."""

    def __init__(self, name: str, data: Path, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._log = (data / f"{name}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "localcloud", name, "--data", str(data), *arguments],
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**child_environment(), **environment},  # so that it ends even when pytest is killed
        )
        self.data = data
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"{name} did not start: {(data / f'{name}.log').read_text()[-3000:]}")
        self.addresses: dict[str, str] = json.loads(line)["ready"]

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C would, and wait."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[StartService]:
    """Start a service of the local cloud; all are ended with the test."""
    started: list[Service] = []

    def start(name: str, *arguments: str, data: Path = tmp_path, **environment: Any) -> Service:
        service = Service(name, data, arguments, environment)
        started.append(service)
        return service

    yield start
    for service in reversed(started):
        service.stop()


@pytest.fixture(scope="session")
def storage_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Cloud Storage server for the whole session; tests use buckets of their own."""
    service = Service("storage", tmp_path_factory.mktemp("storage"), (), {})
    yield service.addresses["rest"]
    service.stop()
