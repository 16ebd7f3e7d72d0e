"""Child processes that are kept running: started, waited for, restarted when they die, ended together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .process import CannotStart, child_environment

LOG = logging.getLogger(__name__)
READY_SECONDS = 60
STOP_SECONDS = 10
FIRST_RESTART_SECONDS = 0.1
MAX_RESTART_SECONDS = 10.0
STEADY_SECONDS = 30.0  # a child that lived this long starts over with the shortest restart delay


@dataclass(frozen=True)
class Component:
    """One service of the local cloud, as ``python -m localcloud NAME …`` starts it."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Runs components with their output appended to one log file, until `stop`."""

    def __init__(self, data: Path, log: Path) -> None:
        self._data = data
        self._log = log
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._children: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, component: Component) -> Mapping[str, str]:
        """Start a component, keep it running, and return its addresses once it answers.

        CannotStart when it ends before that or takes longer than `READY_SECONDS`.
        """
        process = await self._spawn(component)
        addresses = await self._ready(component.name, process)
        self._keepers[component.name] = asyncio.create_task(self._keep(component, process))
        return addresses

    async def stop(self) -> None:
        """End every component, in the reverse order of their start; killed when they do not end in time."""
        for keeper in self._keepers.values():
            keeper.cancel()
        running = [process for process in reversed(self._children.values()) if process.returncode is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def _spawn(self, component: Component) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "localcloud", component.name, "--data", str(self._data)),
                *component.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**child_environment(), **component.environment},
                # Ctrl-C in a terminal signals the whole foreground group; the children are ended in order instead.
                start_new_session=True,
            )
        self._children[component.name] = process
        return process

    async def _ready(self, name: str, process: asyncio.subprocess.Process) -> Mapping[str, str]:
        state = self._data / f"{name}.json"
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if process.returncode is not None:
                raise CannotStart(f"{name} ended with code {process.returncode}; the last lines of {self._log} say why")
            with contextlib.suppress(OSError, ValueError):
                announced = json.loads(state.read_text(encoding="utf-8"))
                if announced["pid"] == process.pid:
                    addresses: Mapping[str, str] = announced["addresses"]
                    return addresses
            await asyncio.sleep(0.02)
        raise CannotStart(f"{name} did not answer within {READY_SECONDS} s; the last lines of {self._log} say why")

    async def _keep(self, component: Component, process: asyncio.subprocess.Process) -> None:
        delay = FIRST_RESTART_SECONDS
        while True:
            started = time.monotonic()
            code = await process.wait()
            if time.monotonic() - started > STEADY_SECONDS:
                delay = FIRST_RESTART_SECONDS
            LOG.error(
                "component ended, starting it again",
                extra={"fields": {"ended": component.name, "code": code, "delay_seconds": delay}},
            )
            await asyncio.sleep(delay)
            delay = min(delay * 2, MAX_RESTART_SECONDS)
            process = await self._spawn(component)


def alive(pid: int) -> bool:
    """Whether a process of this number runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
