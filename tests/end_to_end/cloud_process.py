"""A whole local cloud as users start it, with a base model made from scratch so that tuning takes seconds."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import requests
from google.cloud import storage

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "functions" / "droptune" / "cli" / "demo" / "banking10"
INTAKE = "droptune-local-intake"
RUNS = "droptune-local-runs"
WAIT_SECONDS = 240


class Cloud:
    """One local cloud in a process tree of its own."""

    def __init__(self, data: Path, base_model: Path) -> None:
        self.data = data
        self._command = [sys.executable, "-m", "localcloud", "up", "--project", "droptune-local"]
        self._command += ["--pipeline", str(ROOT / "infra" / "pipeline.yaml"), "--data", str(data)]
        self._command += ["--base-model", str(base_model), "--tuning-mode", "full"]
        self.start()

    def start(self) -> None:
        """Start it, or start it again where it was left."""
        clean = {k: v for k, v in os.environ.items() if k not in ("STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST")}
        environment = {**clean, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, env=environment)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            ready = json.loads(line)
            if ready["component"] == "cloud":
                self.addresses: dict[str, str] = ready["ready"]
                break
        else:
            raise AssertionError(f"the cloud did not start: {(data_log(self.data))[-3000:]}")
        os.environ["STORAGE_EMULATOR_HOST"] = self.addresses["storage"]
        try:
            self.storage = storage.Client(project="droptune-local")
        finally:
            del os.environ["STORAGE_EMULATOR_HOST"]

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def children(self, name: str) -> list[psutil.Process]:
        """The processes of one service."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # ended, or a zombie that was not waited for yet
                line = process.cmdline()
                if name in line or f"localcloud.vertex.{name}" in line:
                    found.append(process)
        return found

    def put(self, name: str, data: bytes, **metadata: str) -> Any:
        """Upload an object to the intake bucket."""
        blob = self.storage.bucket(INTAKE).blob(name)
        blob.metadata = {f"droptune-{key.replace('_', '-')}": value for key, value in metadata.items()} or None
        blob.upload_from_string(data)
        return blob

    def ledger(self, dataset: str) -> dict[str, dict[str, Any]]:
        """Every JSON object of the runs of a data set: ``<run id>/<name>`` to its content."""
        found = {}
        for blob in self.storage.list_blobs(RUNS, prefix=f"{dataset}-"):
            if blob.name.endswith(".json") and blob.name.count("/") == 1:
                found[blob.name] = json.loads(blob.download_as_bytes())
        return found

    def wait(self, dataset: str, done: Callable[[dict[str, dict[str, Any]]], bool]) -> dict[str, dict[str, Any]]:
        """The ledger of a data set's runs once `done` says so."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            ledger = self.ledger(dataset)
            if done(ledger):
                return ledger
            time.sleep(0.2)  # the ledger is objects in a bucket: there is nothing to wait on but their appearance
        raise AssertionError(f"{dataset}: no outcome; ledger {sorted(ledger)}; log: {data_log(self.data)[-4000:]}")

    def until(self, happens: Callable[[], object]) -> None:
        """Wait for something that is seen from outside only."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not happens():
            assert time.monotonic() < deadline, f"it did not happen; log: {data_log(self.data)[-4000:]}"
            time.sleep(0.05)  # as above

    def vertex(self, path: str) -> dict[str, Any]:
        """A listing of Vertex AI, by its path below the location."""
        return self.job(f"projects/droptune-local/locations/us-central1/{path}")

    def job(self, name: str) -> dict[str, Any]:
        """A Vertex AI resource."""
        reply = requests.get(f"{self.addresses['vertex']}/v1beta1/{name}", timeout=10)
        reply.raise_for_status()
        resource: dict[str, Any] = reply.json()
        return resource


def data_log(data: Path) -> str:
    log = data / "log.jsonl"
    return log.read_text() if log.exists() else ""


def ended(ledger: dict[str, dict[str, Any]]) -> bool:
    """Whether every run that was started has an outcome that was told to people."""
    runs = {name.partition("/")[0] for name in ledger}
    return bool(runs) and all(any(has_ended(name, run) for name in ledger) for run in runs)


def has_ended(name: str, run: str) -> bool:
    told = (
        "notified-model-registered",
        "notified-model-rejected",
        "notified-tuning-failed",
        "notified-dataset-rejected",
    )
    return name.startswith(tuple(f"{run}/{prefix}" for prefix in told))
