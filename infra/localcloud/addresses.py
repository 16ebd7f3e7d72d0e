"""Where the services of one local cloud answer: ports of their own, or emulators that the user runs already."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

import msgspec
import requests

from .process import LOOPBACK, CannotStart, free_port

PORTS_FILE = "ports.json"
PORT_NAMES = ("storage", "pubsub", "pubsub_rest", "workflows", "workflows_grpc", "vertex", "functions")
ANSWER_SECONDS = 10


def choose_ports(wanted: Mapping[str, int], data: Path) -> dict[str, int]:
    """The ports asked for, else those of the last time when still free, else free ones."""
    last = _last_ports(data)
    chosen = {name: port for name, port in wanted.items() if port}
    for name in PORT_NAMES:
        if name in chosen:
            continue
        port = last.get(name, 0)
        while not port or port in chosen.values() or not _is_free(port):
            port = free_port()
        chosen[name] = port
    return {name: chosen[name] for name in PORT_NAMES}


def external(variable: str, ports: Mapping[str, int], data: Path) -> str | None:
    """The URL of an emulator of the user's own, by its usual variable; None when that is unset or names a port of ours.

    The second happens when the output of ``droptune env`` is still in force in the shell that starts the cloud again.
    """
    value = os.environ.get(variable, "").strip().rstrip("/")
    if not value:
        return None
    port = value.rpartition(":")[2]
    known = {str(p) for p in (*ports.values(), *_last_ports(data).values())}
    if port in known:
        return None
    return value if "://" in value else f"http://{value}"


def require_answer(variable: str, url: str) -> None:
    """CannotStart when the emulator that `variable` names does not speak HTTP, through which it is set up."""
    try:
        requests.get(url, timeout=ANSWER_SECONDS)
    except requests.RequestException as error:
        raise CannotStart(
            f"{variable} is set, but no emulator answers HTTP at {url} ({type(error).__name__}); "
            f"start it, or unset {variable} to have one of the local cloud's own"
        ) from error


def _last_ports(data: Path) -> Mapping[str, int]:
    try:
        return msgspec.json.decode((data / PORTS_FILE).read_bytes(), type=dict[str, int])
    except (OSError, msgspec.DecodeError):
        return {}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
