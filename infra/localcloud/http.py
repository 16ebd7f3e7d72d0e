"""Google-shaped JSON over HTTP, shared by every REST server here.

Handlers return a value; this module writes it. Errors have one shape, the one that Google's clients turn into
exceptions: ``{"error": {"code": 404, "message": "...", "status": "NOT_FOUND"}}``
(https://cloud.google.com/apis/design/errors).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

LOG = logging.getLogger(__name__)
STOP_SECONDS = 1  # for requests under way when a server stops

# google.rpc.Code name -> (number, HTTP status), from google/rpc/code.proto.
RPC_CODES: Mapping[str, tuple[int, int]] = {
    "CANCELLED": (1, 499),
    "UNKNOWN": (2, 500),
    "INVALID_ARGUMENT": (3, 400),
    "DEADLINE_EXCEEDED": (4, 504),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "RESOURCE_EXHAUSTED": (8, 429),
    "FAILED_PRECONDITION": (9, 400),
    "ABORTED": (10, 409),
    "OUT_OF_RANGE": (11, 400),
    "UNIMPLEMENTED": (12, 501),
    "INTERNAL": (13, 500),
    "UNAVAILABLE": (14, 503),
    "DATA_LOSS": (15, 500),
    "UNAUTHENTICATED": (16, 401),
}
_STATUS_OF_HTTP = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 405: "UNIMPLEMENTED", 409: "ALREADY_EXISTS"}


class GoogleError(Exception):
    """A refusal in Google's terms.

    `status` is a name of `RPC_CODES`; `message` says what was found, what is allowed and what to do;
    `details` are ``google.protobuf.Any`` maps with an ``@type`` each.
    """

    def __init__(self, status: str, message: str, details: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = list(details)

    @property
    def rpc_code(self) -> int:
        """The google.rpc.Code number, as found in a resource's ``error`` field."""
        return RPC_CODES[self.status][0]

    @property
    def http_status(self) -> int:
        return RPC_CODES[self.status][1]

    def body(self) -> dict[str, Any]:
        """The HTTP reply's JSON."""
        error: dict[str, Any] = {"code": self.http_status, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        return {"error": error}


async def read_json(request: Request) -> dict[str, Any]:
    """The request's JSON object; `{}` for an empty body. INVALID_ARGUMENT for anything else."""
    body = await request.body()
    if not body.strip():
        return {}
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except ValueError as error:
        raise GoogleError("INVALID_ARGUMENT", f"the request body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise GoogleError("INVALID_ARGUMENT", "the request body must be a JSON object")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


@contextlib.asynccontextmanager
async def answering(app: Starlette, bound: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on a bound socket inside this event loop, from before the first line of the block to its end."""
    server = _Guest(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=STOP_SECONDS))
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await server.answering.wait()
        yield
    finally:
        server.should_exit = True
        await serving


class _Guest(uvicorn.Server):
    """uvicorn as a guest: it leaves the signals of the process alone and tells when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.answering.set()


def application(routes: Sequence[BaseRoute], **options: Any) -> Starlette:
    """A Starlette app whose every failure is a Google-shaped error."""
    return Starlette(
        routes=routes,
        exception_handlers={
            GoogleError: _google_error,
            HTTPException: _http_error,
            Exception: _internal_error,
        },
        **options,
    )


async def _google_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GoogleError)
    return JSONResponse(error.body(), status_code=error.http_status)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = _STATUS_OF_HTTP.get(error.status_code, "UNKNOWN")
    message = f"{error.detail}: {request.method} {request.url.path}"
    body = {"error": {"code": error.status_code, "message": message, "status": status}}
    return JSONResponse(body, status_code=error.status_code)


async def _internal_error(request: Request, error: Exception) -> Response:
    LOG.error("unhandled error in %s %s", request.method, request.url.path, exc_info=error)
    return JSONResponse(GoogleError("INTERNAL", f"internal error: {error}").body(), status_code=500)
