"""Cloud Run functions: the deployed ``main.py`` under functions-framework, every function at ``/<name>/``.

Differs: on Google Cloud each function has instances of its own; here all share one process, each with its own app.
"""

from __future__ import annotations

import argparse
import asyncio
import threading
from pathlib import Path
from typing import Literal, cast

import functions_framework
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

from .process import LOOPBACK, announce, listen

Signature = Literal["http", "cloudevent"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", type=Path, required=True, help="folder that holds main.py")
    parser.add_argument(
        "--function",
        action="append",
        required=True,
        metavar="NAME=ENTRY_POINT:SIGNATURE",
        help="a function to host; SIGNATURE is http or cloudevent; repeat for more",
    )


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until cancelled. A request runs in a thread of its own, as an instance with concurrency would run it."""
    apps = {}
    for text in arguments.function:
        name, entry_point, signature = parse_function(text)
        apps[f"/{name}"] = functions_framework.create_app(
            target=entry_point, source=str(arguments.source / "main.py"), signature_type=signature
        )
    bound = listen(arguments.port)
    bound.listen(512)  # a burst of events waits for its turn rather than being refused
    port = bound.getsockname()[1]
    server = make_server(LOOPBACK, port, DispatcherMiddleware(NotFound(), apps), threaded=True, fd=bound.detach())
    thread = threading.Thread(target=server.serve_forever, name="functions", daemon=True)
    thread.start()
    announce("functions", {"rest": f"http://{LOOPBACK}:{port}"}, arguments.data)
    try:
        await asyncio.Event().wait()
    finally:
        server.shutdown()


def parse_function(text: str) -> tuple[str, str, Signature]:
    """``validate=validate:cloudevent`` as name, entry point and signature. ValueError for anything else."""
    name, equals, rest = text.partition("=")
    entry_point, colon, signature = rest.partition(":")
    if not (equals and colon and name and entry_point and signature in ("http", "cloudevent")):
        raise ValueError(f"--function {text!r}: expected NAME=ENTRY_POINT:http or NAME=ENTRY_POINT:cloudevent")
    return name, entry_point, cast(Signature, signature)
