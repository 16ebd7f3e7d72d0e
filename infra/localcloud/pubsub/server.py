"""Runs the local Pub/Sub: one event loop with a gRPC port and a REST port."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from localcloud.clock import Clock, RealClock
from localcloud.http import answering
from localcloud.process import LOOPBACK, announce, listen

from .grpc_api import build_server
from .push import Pushers
from .rest_api import build_app
from .service import PubSub
from .store import Store
from .topics import Broker

STATE_FILE = "pubsub.sqlite3"
RETENTION_CHECK_SECONDS = 3600.0
STOP_SECONDS = 1.0  # for requests under way when the service stops


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rest-port", type=int, default=0, help="port of the REST API; 0 takes a free one")


async def serve(arguments: argparse.Namespace) -> None:
    """Run until cancelled."""
    async with running_pubsub(arguments.data, port=arguments.port, rest_port=arguments.rest_port) as addresses:
        announce("pubsub", addresses, arguments.data)
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def running_pubsub(
    data: Path, clock: Clock | None = None, *, port: int = 0, rest_port: int = 0
) -> AsyncIterator[Mapping[str, str]]:
    """The service inside this event loop: yields its addresses ``grpc`` (host:port) and ``rest`` (http://...).

    State is kept in `data`. OSError when a port is taken or another process uses `data`.
    """
    clock = clock or RealClock()
    async with contextlib.AsyncExitStack() as stack:
        store = Store(data / STATE_FILE)
        stack.callback(store.close)
        pushers = Pushers(clock)
        broker = Broker(store, clock, pushers.follow)
        broker.restore()
        pubsub = PubSub(broker, clock)
        rest_socket = stack.enter_context(listen(rest_port))
        rest_address = f"http://{LOOPBACK}:{rest_socket.getsockname()[1]}"
        grpc_server = build_server(pubsub, clock)
        try:
            grpc_port = grpc_server.add_insecure_port(f"{LOOPBACK}:{port}")
        except RuntimeError as error:
            raise OSError(f"port {port} of {LOOPBACK} cannot be used: {error}") from error
        await grpc_server.start()
        stack.push_async_callback(grpc_server.stop, STOP_SECONDS)
        await stack.enter_async_context(answering(build_app(pubsub), rest_socket))
        sweep = asyncio.create_task(_forget_expired(broker, clock))
        stack.callback(sweep.cancel)
        for subscription in broker.subscriptions():
            pushers.follow(subscription)
        stack.push_async_callback(pushers.stop)
        stack.callback(broker.close)
        yield {"grpc": f"{LOOPBACK}:{grpc_port}", "rest": rest_address}


async def _forget_expired(broker: Broker, clock: Clock) -> None:
    """Free the space of messages that nobody pulled within their retention."""
    while True:
        await clock.sleep(RETENTION_CHECK_SECONDS)
        for subscription in broker.subscriptions():
            subscription.forget_expired()
