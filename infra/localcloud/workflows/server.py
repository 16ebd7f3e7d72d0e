"""The Workflows service: an engine over a data folder, behind REST and gRPC."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Sequence

from ..clock import RealClock
from ..http import answering
from ..process import LOOPBACK, CannotStart, announce, listen
from .api.grpc_server import grpc_server
from .api.rest_api import rest_application
from .connectors import Connectors
from .engine import Engine
from .running.http_client import RealHttpClient
from .service.own_api import with_own_services
from .service.store import Store

LOG = logging.getLogger("localcloud.workflows")
COMPONENT = "workflows"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options beside --port and --data."""
    parser.epilog = "Without a server: python -m localcloud workflows run|test|lint FILE (each has --help)."
    parser.add_argument("--grpc-port", type=int, default=0, help="gRPC port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--project", default="local-project", help="the project whose locations are listed")
    parser.add_argument("--location", default="us-central1", help="the location that is listed; any other works, too")
    parser.add_argument(
        "--connector",
        action="append",
        default=[],
        metavar="SERVICE=URL",
        help="where the calls googleapis.SERVICE.… go, such as storage=http://127.0.0.1:9000; may be repeated",
    )
    parser.add_argument(
        "--allow-http",
        action="append",
        metavar="HOST",
        help="a host that http.* may reach, * standing for any text; may be repeated; every host when not given",
    )
    parser.add_argument(
        "--external-url", default=None, metavar="URL", help="where callback URLs point to, if not to the REST port"
    )


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until cancelled. Executions that an earlier process left unfinished go on first."""
    port = listen(arguments.port)
    address = f"http://{LOOPBACK}:{port.getsockname()[1]}"
    connectors = _connectors(arguments.connector, address)
    store = Store(arguments.data / "workflows.sqlite3")
    http = RealHttpClient(connectors.reachable(arguments.allow_http))
    engine = Engine(store, RealClock(), http, arguments.external_url or address, connectors=connectors)
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


def _connectors(options: Sequence[str], own_address: str) -> Connectors:
    """The addresses of `--connector`, and our own for our own services. CannotStart for one that cannot be."""
    addresses = {}
    for option in options:
        service, equals, url = option.partition("=")
        if not equals:
            raise CannotStart(f"--connector {option}: it must read SERVICE=URL, such as storage=http://127.0.0.1:9000")
        addresses[service] = url
    try:
        return with_own_services(addresses, own_address)
    except ValueError as error:
        raise CannotStart(f"--connector: {error}") from error
