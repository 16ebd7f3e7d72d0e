"""The service as a process with stub children: ``stub_vertex.py DATA STORAGE_ADDRESS WORKER_MODE``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from vertex_harness import STUB_MODEL_SERVER, stub_worker

from localcloud.clock import RealClock
from localcloud.process import announce, die_with_parent
from localcloud.vertex.server import running_vertex
from localcloud.vertex.service import Settings


async def main(data: Path, storage_address: str, mode: str) -> None:
    settings = Settings(
        data=data,
        storage_address=storage_address,
        worker_command=stub_worker(mode),
        model_server_command=STUB_MODEL_SERVER,
    )
    async with running_vertex(settings, RealClock()) as address:
        announce("vertex", {"rest": address}, data)
        await asyncio.Event().wait()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
