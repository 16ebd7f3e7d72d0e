"""HTTP requests that leave a workflow, behind one method so that tests can answer them."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import httpx

from ...clock import Clock
from .. import limits
from ..errors import connection_error, connection_failed_error, resource_limit_error, tagged, timeout_error, value_error

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class HttpRequest:
    """What is sent; the query is part of `url`."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class HttpReply:
    """What came back, whatever the status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient(Protocol):
    """Sends requests. WorkflowError when no answer can be had; a status of 400 or more is an answer."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """The answer."""
        ...


class RealHttpClient:
    """Sends requests over the network, any number at a time. `in_flight` counts those without an answer yet.

    `allowed` are the hosts that may be reached, with `*` for any text; None for all. A redirect leads no further.
    """

    def __init__(self, allowed: Iterable[str] | None = None) -> None:
        self._client: httpx.AsyncClient | None = None
        self._allowed = None if allowed is None else tuple(allowed)
        self.in_flight = 0

    async def send(self, request: HttpRequest) -> HttpReply:
        """The answer, after redirects."""
        if self._client is None:
            # The caller keeps the time, so that it can be driven; idle connections go before servers drop them.
            unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=1)
            self._client = httpx.AsyncClient(
                timeout=None,
                limits=unlimited,
                follow_redirects=True,
                trust_env=False,
                event_hooks={"request": [self._check]},
            )
        self.in_flight += 1
        try:
            async with self._client.stream(
                request.method, request.url, headers=dict(request.headers), content=request.body or None
            ) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > limits.RESPONSE_BYTES:
                        raise resource_limit_error(f"the response has more than {limits.RESPONSE_BYTES} bytes")
                return HttpReply(response.status_code, _header_map(response.headers), bytes(body))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise value_error(f"{request.method} {request.url}: {error}") from error
        except httpx.ConnectError as error:
            raise connection_failed_error(f"{request.method} {request.url}: {error}") from error
        except httpx.RequestError as error:
            raise connection_error(f"{request.method} {request.url}: {error or type(error).__name__}") from error
        finally:
            self.in_flight -= 1

    async def _check(self, request: httpx.Request) -> None:
        host = request.url.host
        if self._allowed is not None and not any(fnmatch.fnmatchcase(host, allowed) for allowed in self._allowed):
            raise tagged(
                "SystemError",
                f"{request.method} {request.url}: {host} is not among the hosts that may be reached; "
                f"start the engine with --allow-http {host}",
            )

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()


async def within(clock: Clock, seconds: float, work: Awaitable[_Result], what: str) -> _Result:
    """The result of `work`; TimeoutError, as a workflow's error naming `what`, after `seconds` of the clock's time."""
    worker = asyncio.current_task()
    assert worker is not None
    earlier_requests = worker.cancelling()
    expired = False

    async def watch() -> None:
        nonlocal expired
        await clock.sleep(seconds)
        expired = True
        worker.cancel()

    timer = asyncio.create_task(watch())
    try:
        return await work
    except asyncio.CancelledError:
        # As asyncio.timeout does: when somebody else cancelled as well, that goes first.
        if expired and worker.uncancel() <= earlier_requests:
            raise timeout_error(f"{what} did not end within {seconds:g} seconds") from None
        raise
    finally:
        timer.cancel()


def _header_map(headers: httpx.Headers) -> dict[str, str]:
    """Header names in the usual form, as samples read them: `Content-Type`. Repeated ones are joined."""
    return {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}
