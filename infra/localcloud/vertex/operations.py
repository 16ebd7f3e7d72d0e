"""Long-running operations, all of them done at once. Source: google.longrunning.Operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ..clock import Clock
from ..http import GoogleError
from .names import numeric_id
from .records import Operation
from .routing import PARENT_PATH, parent_of, route
from .store import Store
from .timestamps import rfc3339

_TYPES = "type.googleapis.com/google.cloud.aiplatform.v1."
_EMPTY = {"@type": "type.googleapis.com/google.protobuf.Empty"}


class Operations:
    """Finished operations: what deletes, creations and deployments answer with, and ``operations.get``."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def done(
        self, parent: str, metadata: str, response: tuple[str, Mapping[str, Any]] | None = None
    ) -> Mapping[str, Any]:
        """A done operation below the resource or location `parent`.

        `metadata` and the first part of `response` are message names; clients unpack by them. Without a response the
        operation answers with Empty.
        """
        now = self._clock.now()
        count = len(self._store.operations.list(f"{parent}/operations/"))
        name = f"{parent}/operations/{numeric_id(parent, metadata, str(now), str(count))}"
        times = {"createTime": rfc3339(now), "updateTime": rfc3339(now)}
        body = {
            "name": name,
            "metadata": {"@type": _TYPES + metadata, "genericMetadata": times},
            "done": True,
            "response": _EMPTY if response is None else {"@type": _TYPES + response[0], **response[1]},
        }
        self._store.operations.insert(name, Operation(name=name, body=body))
        return body

    def routes(self) -> list[Route]:
        paths = ("", "/models/{id}", "/endpoints/{id}", "/pipelineJobs/{id}")
        return [route("GET", f"{PARENT_PATH}{path}/operations/{{operation}}", self._get) for path in paths]

    async def _get(self, request: Request) -> Mapping[str, Any]:
        below = request.url.path.split("/locations/", 1)[1].partition("/")[2]
        name = f"{parent_of(request).name}/{below}"
        operation = self._store.operations.get(name)
        if operation is None:
            raise GoogleError("NOT_FOUND", f"{name} does not exist")
        return operation.body
