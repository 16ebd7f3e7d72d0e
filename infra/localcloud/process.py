"""What every process of the local cloud does alike: bind to loopback, say that it is ready, die with its parent."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"
PARENT_VARIABLE = "LOCALCLOUD_PARENT_PID"


class CannotStart(Exception):
    """A service, or the whole local cloud, cannot come up; the message says why and where to look."""


def listen(port: int = 0) -> socket.socket:
    """A TCP socket bound to loopback; `port` 0 takes a free one. OSError when the port is taken."""
    # With the protocol named asyncio sets TCP_NODELAY, without which small replies wait some 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOOPBACK, port))
    return bound


def free_port() -> int:
    """A port that was free a moment ago."""
    with listen() as probe:
        return int(probe.getsockname()[1])


def write_atomically(path: Path, text: str) -> None:
    """Write `text` so that a reader, or a crash, sees the old file or the new one and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def announce(component: str, addresses: Mapping[str, str], data: Path) -> None:
    """Say that `component` answers: a line on standard output and the file ``<data>/<component>.json``.

    Whoever started the process waits for either. The file holds ``{"pid": ..., "addresses": {...}}``.
    """
    state = {"pid": os.getpid(), "addresses": dict(addresses)}
    write_atomically(data / f"{component}.json", json.dumps(state))
    line = {"severity": "INFO", "component": component, "message": "ready", "ready": dict(addresses)}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def child_environment() -> dict[str, str]:
    """The environment for a child that must not outlive this process (it calls `die_with_parent`)."""
    return {**os.environ, PARENT_VARIABLE: str(os.getpid())}


def die_with_parent(interval_seconds: float = 0.5) -> None:
    """End this process when the one that started it with `child_environment` is gone, however it ended."""
    expected = os.environ.pop(PARENT_VARIABLE, None)
    if expected is None:
        return
    request_death_signal()

    def watch() -> None:
        while os.getppid() == int(expected):
            time.sleep(interval_seconds)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def request_death_signal() -> None:
    """On Linux ask the kernel for SIGTERM when the parent dies; elsewhere do nothing (polling covers it)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
