"""Child processes that must not outlive this one, and folders that one process at a time may own."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from ..clock import Clock
from ..process import child_environment

STOP_SECONDS = 5.0
_LOCK_RETRY_SECONDS = 0.2
_TAIL_BYTES = 1500


async def spawn(command: Sequence[str], log_path: Path, pass_fds: Sequence[int] = ()) -> asyncio.subprocess.Process:
    """Start `command` with its output appended to `log_path`.

    It gets a session of its own: Ctrl-C in a terminal must reach it through this process, which then knows that it was
    stopped and did not crash.
    """
    with log_path.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            env=child_environment(),
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a child: asked first, then killed."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def try_own(folder: Path) -> int | None:
    """A descriptor that owns `folder` for as long as any process holds it open; None when it is owned already."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


async def own(folder: Path, clock: Clock) -> int:
    """`try_own`, waiting for the present owner to end."""
    while (descriptor := try_own(folder)) is None:
        await clock.sleep(_LOCK_RETRY_SECONDS)
    return descriptor


def log_tail(path: Path) -> str:
    """The end of a child's log, for an error message."""
    if not path.exists():
        return ""
    return path.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace").strip()
