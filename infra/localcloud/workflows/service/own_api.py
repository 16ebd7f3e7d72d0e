"""An engine's own REST API for the workflows that run in it, without a server and without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import httpx
from starlette.types import ASGIApp

from ..connectors import Connectors
from ..running.http_client import HttpClient, HttpReply, HttpRequest

_ADDRESS: Final = "http://engine.internal"
# The services that an engine is itself.
OWN_SERVICES: Final = ("workflows", "workflowexecutions")


def with_own_services(addresses: Mapping[str, str], own: str = _ADDRESS) -> Connectors:
    """The connectors for an engine whose own API answers at `own`, unless another address is given."""
    return Connectors({**dict.fromkeys(OWN_SERVICES, own), **addresses})


class OwnApi:
    """An HTTP client that answers requests to the engine's own address itself and passes all others on."""

    def __init__(self, others: HttpClient) -> None:
        self._others = others
        self._application: Callable[[], ASGIApp] | None = None
        self._own: httpx.AsyncClient | None = None

    def serve(self, application: Callable[[], ASGIApp]) -> None:
        """Answer with this application, which is made when it is needed first."""
        self._application = application

    async def send(self, request: HttpRequest) -> HttpReply:
        """The answer of the engine, or of whoever else is asked."""
        if self._application is None or not request.url.startswith(f"{_ADDRESS}/"):
            return await self._others.send(request)
        if self._own is None:
            transport = httpx.ASGITransport(app=self._application(), raise_app_exceptions=False)
            self._own = httpx.AsyncClient(transport=transport, timeout=None, trust_env=False)
        reply = await self._own.request(
            request.method, request.url, headers=dict(request.headers), content=request.body or None
        )
        return HttpReply(reply.status_code, {"Content-Type": reply.headers.get("content-type", "")}, reply.content)
