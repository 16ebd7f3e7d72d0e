"""``python -m localcloud vertex``: serves until cancelled."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

from ..clock import Clock, RealClock
from ..http import answering
from ..process import LOOPBACK, announce, listen
from .service import Settings, VertexAi


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base-model", help="folder of the base model to tune; otherwise SmolLM2-135M-Instruct")
    parser.add_argument("--concurrent-jobs", type=int, default=1, help="tuning jobs that run at the same time")
    parser.add_argument("--project", help="the only project to serve; otherwise any")
    parser.add_argument(
        "--tuning-mode",
        choices=("lora", "full"),
        default="lora",
        help="tune adapters, or all weights (for base models made from scratch)",
    )


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until cancelled."""
    settings = Settings(
        data=arguments.data,
        storage_address=os.environ.get("STORAGE_EMULATOR_HOST"),
        base_model=arguments.base_model,
        concurrent_jobs=arguments.concurrent_jobs,
        project=arguments.project,
        tuning_mode=arguments.tuning_mode,
    )
    async with running_vertex(settings, RealClock(), arguments.port) as address:
        announce("vertex", {"rest": address}, arguments.data)
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def running_vertex(settings: Settings, clock: Clock, port: int = 0) -> AsyncIterator[str]:
    """The service inside this event loop: yields its address. OSError when the port or the folder is taken."""
    with listen(port) as bound:
        vertex = VertexAi(settings, clock)
        async with answering(vertex.app, bound):
            vertex.start()
            try:
                yield f"http://{LOOPBACK}:{bound.getsockname()[1]}"
            finally:
                await vertex.close()
