"""The REST server in the test's own process, over a clock that the test drives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from workflows_stub import StubHttp

from localcloud.clock import ManualClock
from localcloud.workflows.api.rest_api import rest_application
from localcloud.workflows.engine import Engine
from localcloud.workflows.service.store import Store

BASE = "/v1/projects/p/locations/l"
PARENT = BASE.removeprefix("/v1/")


class Cloud:
    """A server in this process, its clock, and a client."""

    def __init__(self, store: Store | None = None, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.store = store or Store(None)
        self.engine = Engine(self.store, self.clock, StubHttp(self.clock, []), "http://local")
        transport = httpx.ASGITransport(rest_application(self.engine, "p", "l"))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://local")

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of an answer that must have `status`."""
        reply = await self.client.request(method, path if path.startswith("http") else BASE + path, **options)
        assert reply.status_code == status, reply.text
        return reply.json()

    async def deploy(self, source: str, name: str = "w", **fields: Any) -> Any:
        """The operation of a new workflow."""
        body = {"sourceContents": source, **fields}
        return await self.call("POST", f"/workflows?workflowId={name}", json=body)

    async def execute(self, workflow: str = "w", **fields: Any) -> str:
        """The path of a new execution, once it waits or has ended."""
        created = await self.call("POST", f"/workflows/{workflow}/executions", json=fields)
        await self.clock.advance(0)
        return str(created["name"]).removeprefix(PARENT)


def run(scenario: Callable[[Cloud], Awaitable[None]]) -> None:
    """Run a scenario and stop what it left running."""

    async def whole() -> None:
        cloud = Cloud()
        await scenario(cloud)
        await cloud.engine.executions.close()

    asyncio.run(whole())
