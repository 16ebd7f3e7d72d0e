"""The Workflows service: an engine over a data folder, behind REST and gRPC."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn

from ..clock import RealClock
from ..process import LOOPBACK, announce, listen
from .engine import Engine
from .grpc_api import grpc_server
from .http_client import RealHttpClient
from .rest_api import rest_application
from .store import Store

LOG = logging.getLogger("localcloud.workflows")
COMPONENT = "workflows"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options beside --port and --data."""
    parser.add_argument("--grpc-port", type=int, default=0, help="gRPC port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--project", default="local-project", help="the project whose locations are listed")
    parser.add_argument("--location", default="us-central1", help="the location that is listed; any other works, too")
    parser.add_argument(
        "--external-url", default=None, metavar="URL", help="where callback URLs point to, if not to the REST port"
    )


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until cancelled. Executions that an earlier process left unfinished go on first."""
    port = listen(arguments.port)
    address = f"http://{LOOPBACK}:{port.getsockname()[1]}"
    store = Store(arguments.data / "workflows.sqlite3")
    http = RealHttpClient()
    engine = Engine(store, RealClock(), http, arguments.external_url or address)
    rpc = grpc_server(engine)
    try:
        rpc_port = rpc.add_insecure_port(f"{LOOPBACK}:{arguments.grpc_port}")
    except RuntimeError as error:
        raise OSError(f"cannot listen on {LOOPBACK}:{arguments.grpc_port}; choose another --grpc-port") from error
    web = _Web(
        uvicorn.Config(
            rest_application(engine, arguments.project, arguments.location),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.ensure_future(web.serve(sockets=[port]))
    try:
        resumed = engine.executions.resume()
        if resumed:
            LOG.info("resumed executions", extra={"fields": {"count": resumed}})
        await rpc.start()
        await web.answering.wait()
        announce(COMPONENT, {"rest": address, "grpc": f"{LOOPBACK}:{rpc_port}"}, arguments.data)
        await asyncio.shield(serving)
    finally:
        web.should_exit = True
        await serving
        await rpc.stop(grace=None)
        await engine.executions.close()
        await http.close()
        store.close()


class _Web(uvicorn.Server):
    """uvicorn as a guest: it leaves the signals of the process alone, and says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the command line, which cancels."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets=sockets)
        self.answering.set()
