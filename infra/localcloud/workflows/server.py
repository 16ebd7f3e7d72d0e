"""The Workflows service: an engine over a data folder, behind REST and gRPC."""

from __future__ import annotations

import argparse
import asyncio
import logging

from ..clock import RealClock
from ..http import answering
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
    try:
        resumed = engine.executions.resume()
        if resumed:
            LOG.info("resumed executions", extra={"fields": {"count": resumed}})
        await rpc.start()
        async with answering(rest_application(engine, arguments.project, arguments.location), port):
            announce(COMPONENT, {"rest": address, "grpc": f"{LOOPBACK}:{rpc_port}"}, arguments.data)
            await asyncio.Event().wait()
    finally:
        await rpc.stop(grace=None)
        await engine.executions.close()
        await http.close()
        store.close()
