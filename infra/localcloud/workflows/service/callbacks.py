"""Callback endpoints: made by an execution, called by the world, awaited by the execution.

A request is kept until an `await_callback` takes it, at most one per endpoint.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ...clock import Clock
from ...http import GoogleError
from ..errors import timeout_error, value_error
from ..running.http_client import within
from ..running.journal import Commit
from ..values import from_journal, to_journal
from .store import CallbackRecord, Store


class Callbacks:
    """All endpoints. `base_url` says where this server's REST API is reached."""

    def __init__(self, store: Store, clock: Clock, base_url: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._base_url = base_url
        # Who waits, by execution and endpoint. Futures, since an Event takes four times as much memory.
        self._arrivals: dict[tuple[str, str], list[asyncio.Future[None]]] = {}

    def create(self, execution: str, method: str) -> str:
        """The URL of a new endpoint."""
        identity = str(uuid.uuid4())
        self._store.create_callback(CallbackRecord(execution, identity, method, None))
        return f"{self._base_url()}/v1/{execution}/callbacks/{identity}"

    async def wait(self, execution: str, url: str, deadline: float) -> tuple[dict[str, Any], Commit]:
        """The next request, and what takes it off the endpoint. ValueError for a foreign URL; TimeoutError."""
        path, _, identity = url.rpartition("/")
        if not path.endswith(f"/v1/{execution}/callbacks") or self._store.callback(execution, identity) is None:
            raise value_error(f"{url} is not a callback endpoint that this execution created")
        payload = await self._payload(execution, identity, deadline)

        def take() -> None:
            self._store.set_payload(execution, identity, None)

        return from_journal(payload), take

    async def _payload(self, execution: str, identity: str, deadline: float) -> str:
        while True:
            record = self._store.callback(execution, identity)
            if record is not None and record.payload is not None:
                return record.payload
            remaining = deadline - self._clock.now()
            if remaining <= 0:
                raise timeout_error("no request came to the callback endpoint in time")
            arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._arrivals.setdefault((execution, identity), []).append(arrived)
            try:
                await within(self._clock, remaining, arrived, "waiting for a callback")
            finally:
                waiters = self._arrivals[execution, identity]
                waiters.remove(arrived)
                if not waiters:
                    del self._arrivals[execution, identity]

    def receive(self, execution: str, identity: str, request: Mapping[str, Any]) -> None:
        """Keep a request and wake who waits. NOT_FOUND, RESOURCE_EXHAUSTED while another one is unprocessed."""
        record = self._store.callback(execution, identity)
        if record is None:
            raise GoogleError("NOT_FOUND", f"there is no callback endpoint {identity}, or its execution has ended")
        if record.method != request["method"]:
            message = f"this callback endpoint takes {record.method}, not {request['method']}"
            raise GoogleError("NOT_FOUND", message)
        if record.payload is not None:
            raise GoogleError("RESOURCE_EXHAUSTED", "an earlier request to this callback endpoint is not processed yet")
        received = datetime.fromtimestamp(self._clock.now(), UTC).isoformat().replace("+00:00", "Z")
        payload = {"http_request": dict(request), "received_time": received, "type": "HTTP"}
        self._store.set_payload(execution, identity, to_journal(payload))
        for arrived in self._arrivals.get((execution, identity), ()):
            if not arrived.done():
                arrived.set_result(None)

    def listing(self, execution: str) -> list[dict[str, Any]]:
        """The endpoints of an execution as Callback resources."""
        resources = []
        for record in self._store.callbacks(execution):
            resource: dict[str, Any] = {"name": f"{execution}/callbacks/{record.id}", "method": record.method}
            waiters = len(self._arrivals.get((execution, record.id), ()))
            if record.payload is not None:
                resource["availablePayloads"] = [record.payload]
            if waiters:
                resource["waiters"] = str(waiters)
            resources.append(resource)
        return resources
