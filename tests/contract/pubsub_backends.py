"""Starts the Pub/Sub servers that contract tests and benchmarks compare."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from localcloud.process import free_port

PATIENCE_SECONDS = 30
Started: TypeAlias = tuple[subprocess.Popen[str], str]  # the process and its gRPC address


class NotInstalled(Exception):
    """A backend that this machine lacks, and how to get it."""


def emulator_jar() -> Path | None:
    """The newest jar of the official emulator below the folder of gcloud."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return None
    root = Path(gcloud).resolve().parent.parent
    jars = sorted(root.glob("platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"))
    if jars:
        return jars[-1]
    told = subprocess.run(
        [gcloud, "info", "--format=value(installation.sdk_root)"], capture_output=True, text=True, check=False
    )
    jars = sorted(Path(told.stdout.strip()).glob("platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"))
    return jars[-1] if jars else None


def start_local(data: Path) -> Started:
    """The embedded server with its state in `data`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localcloud", "pubsub", "--data", str(data)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["ready"]["grpc"]


def start_official(data: Path) -> Started:
    """Google's emulator, which keeps no state; NotInstalled when it or java is missing."""
    java = shutil.which("java")
    if java is None:
        raise NotInstalled("java is not installed, which the official emulator needs")
    jar = emulator_jar()
    if jar is None:
        raise NotInstalled("the official emulator is not installed: gcloud components install pubsub-emulator")
    port = free_port()
    process = subprocess.Popen(
        [java, "-jar", str(jar), "--host=127.0.0.1", f"--port={port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return process, f"127.0.0.1:{port}"
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None and time.monotonic() < deadline, "the official emulator did not start"
            threading.Event().wait(0.05)


BACKENDS: Mapping[str, Callable[[Path], Started]] = {"local": start_local, "official": start_official}
