"""What only the local Vertex AI has, apart from Google's paths: how far a job is, for display on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from .fields import invalid
from .jobs import JobQueue
from .progress import latest
from .routing import PARENT_PATH, Handler, resource_name, route

DEFAULT_LINES = 20
MAX_LINES = 200


class LocalApi:
    """``GET /local/v1/{job name}/progress?lines=N``."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def routes(self) -> list[Route]:
        return [
            route("GET", f"{PARENT_PATH}/{kind}/{{id}}/progress", self._progress(kind))
            for kind in ("pipelineJobs", "tuningJobs")
        ]

    def _progress(self, kind: str) -> Handler:
        async def handler(request: Request) -> Mapping[str, Any]:
            """State, the last report, and the last `lines` reports, oldest first."""
            wanted = request.query_params.get("lines", str(DEFAULT_LINES))
            if not wanted.isdecimal() or not 1 <= int(wanted) <= MAX_LINES:
                raise invalid(f"lines {wanted!r} must be a number from 1 to {MAX_LINES}")
            job = self._queue.get(resource_name(request, kind))
            lines: list[dict[str, Any]] = msgspec.to_builtins(latest(self._queue.folder(job), int(wanted)))
            return {
                "job": job.name,
                "state": job.state.value,
                "phase": lines[-1]["phase"] if lines else (job.phase.value.lower() if job.phase else ""),
                "lines": lines,
            }

        return handler
