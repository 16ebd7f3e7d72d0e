"""The small application of ``tests/cases/stack`` on a whole local cloud, started as users start one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import requests

PIPELINE = Path(__file__).parent / "cases" / "stack" / "infra" / "pipeline.yaml"
INBOX = "local-inbox"
WAIT_SECONDS = 60  # for what must happen; only a failing test waits so long


class Stack:
    """One local cloud in a process tree of its own; `environment` is added to that of the tests."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data = folder / "data"
        self._notes = folder / "notes"
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_EMULATOR_HOST")}
        self._environment = {**clean, "NOTES": str(self._notes), "OMP_NUM_THREADS": "1", **(environment or {})}

    def start(self) -> Stack:
        """Start it, or start it again where it was left; itself once it is ready."""
        self.process = self.up()
        assert self.process.stdout is not None
        self.addresses: dict[str, str] = {}
        for line in self.process.stdout:
            ready = json.loads(line)
            if ready["component"] == "cloud":
                self.addresses = ready["ready"]
                return self
        raise AssertionError(f"the cloud did not start: {self.process.communicate()[1]}; log: {self.log()}")

    def up(self, *arguments: str) -> subprocess.Popen[str]:
        """The command of the user, on this folder."""
        command = [sys.executable, "-m", "localcloud", "up", "--pipeline", str(PIPELINE), "--data", str(self.data)]
        command += arguments
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=self._environment)

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def tree(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, name: str) -> psutil.Process:
        """The process of one service, or a program of that name."""
        return next(p for p in self.tree() if name in p.cmdline() or p.name().startswith(name))

    def put(self, name: str) -> None:
        """Drop an object into the inbox."""
        reply = requests.post(
            f"{self.addresses['storage']}/upload/storage/v1/b/{INBOX}/o",
            params={"uploadType": "media", "name": name},
            data=b"x",
            timeout=10,
        )
        reply.raise_for_status()

    def notes(self) -> Counter[str]:
        """How often each line was written by the functions: ``seen NAME`` by the first, ``hopped NAME`` by the last."""
        return Counter(self._notes.read_text().splitlines()) if self._notes.exists() else Counter()

    def dead(self) -> list[dict[str, Any]]:
        """Up to ten messages that were given up by the trigger of the inbox."""
        subscription = f"{self.addresses['pubsub_rest']}/v1/projects/local/subscriptions/dropped-dead"
        reply = requests.post(f"{subscription}:pull", json={"maxMessages": 10}, timeout=30)
        return [received["message"] for received in reply.json().get("receivedMessages", [])]

    def until(self, happens: Callable[[], Any]) -> Any:
        """What `happens` gives as soon as it is true; seen from outside only, so there is nothing to wait on."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := happens()):
            assert time.monotonic() < deadline, f"it did not happen; notes: {self.notes()}; log: {self.log()}"
            time.sleep(0.02)
        return found

    def travels(self, name: str) -> None:
        """Wait until an object has passed all hops."""
        self.until(lambda: self.notes()[f"hopped {name}"])

    def log(self) -> str:
        path = self.data / "log.jsonl"
        return path.read_text()[-4000:] if path.exists() else ""
