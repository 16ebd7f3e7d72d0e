"""The local cloud as seen from outside: its state file, and the child process that `demo` starts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec

STATE_FILE = "cloud.json"
LOG_FILE = "log.jsonl"
STOP_SECONDS = 30
PROJECT = "droptune-local"
BASE_MODEL_VARIABLE = "DROPTUNE_BASE_MODEL"  # a folder or hub id of the model to tune, in place of the default


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """``cloud.json``, which is there while the cloud runs. `addresses` maps a service to where it answers."""

    pid: int
    project: str
    region: str
    addresses: dict[str, str]
    pipeline: str


class CloudError(Exception):
    """The local cloud did not start, or ended; the message says what it said last."""


@dataclass(frozen=True)
class Started:
    """One line of the starting cloud: `component` answers (``cloud`` when all do)."""

    component: str


class _Ready(msgspec.Struct):
    component: str


def running(data: Path) -> Cloud | None:
    """The cloud that runs on this data folder, or None."""
    try:
        state = msgspec.json.decode((data / STATE_FILE).read_bytes(), type=Cloud)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    try:
        os.kill(state.pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # alive, and somebody else's
    return state


class Child:
    """A local cloud started by this process, in a session of its own so that Ctrl-C reaches it through us only."""

    def __init__(self, pipeline: Path, data: Path, ports: Mapping[str, int] = MappingProxyType({})) -> None:
        from localcloud.process import child_environment

        data.mkdir(parents=True, exist_ok=True)
        self._errors = (data / "start.log").open("wb")
        command = [sys.executable, "-m", "localcloud", "up", "--pipeline", str(pipeline), "--data", str(data)]
        command += ["--project", PROJECT]
        for name, port in ports.items():
            command += [f"--{name.replace('_', '-')}-port", str(port)]
        if base_model := os.environ.get(BASE_MODEL_VARIABLE):
            command += ["--base-model", base_model]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=child_environment(),
            start_new_session=True,
        )

    def starting(self) -> Iterator[Started]:
        """Each component as it answers; ends when all do. CloudError when the process ends before."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(msgspec.DecodeError):
                ready = msgspec.json.decode(line, type=_Ready)
                yield Started(ready.component)
                if ready.component == "cloud":
                    return
        code = self._process.wait()
        said = Path(self._errors.name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise CloudError(f"the local cloud ended with code {code} before it was up; it said last: {_last(said)}")

    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the cloud and wait for it; it ends its own children, which also die with it."""
        if self.alive():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


def _last(lines: list[str]) -> str:
    return lines[-1] if lines else "(nothing)"
