"""An HTTP client that answers a workflow's requests from a list, in order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.clock import Clock
from localcloud.workflows import HttpReply, HttpRequest
from localcloud.workflows.errors import connection_error, connection_failed_error

_FAILURES = {"ConnectionError": connection_error, "ConnectionFailedError": connection_failed_error}


class StubHttp:
    """Each exchange has `reply` (status, headers, json or text, after) or `fail`; `expect` is checked by the case."""

    def __init__(self, clock: Clock, exchanges: Sequence[Mapping[str, Any]]) -> None:
        self._clock = clock
        self._exchanges = list(exchanges)
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpReply:
        """The next answer of the list."""
        number = len(self.requests)
        self.requests.append(request)
        assert number < len(self._exchanges), f"unexpected request {number + 1}: {request.method} {request.url}"
        exchange = self._exchanges[number]
        if "fail" in exchange:
            raise _FAILURES[exchange["fail"]](request.url)
        reply = exchange.get("reply", {})
        await self._clock.sleep(reply.get("after", 0))
        headers = dict(reply.get("headers", {}))
        if "json" in reply:
            headers.setdefault("Content-Type", "application/json")
            return HttpReply(reply.get("status", 200), headers, json.dumps(reply["json"]).encode())
        if "text" in reply:
            headers.setdefault("Content-Type", "text/plain")
        return HttpReply(reply.get("status", 200), headers, reply.get("text", "").encode())
