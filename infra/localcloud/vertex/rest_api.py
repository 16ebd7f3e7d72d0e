"""The whole REST surface: Google's paths under /v1 and /v1beta1, and the local ones under /local/v1."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..http import GoogleError, application

VERSIONS = ("v1", "v1beta1")


def build(google: Sequence[Route], local: Sequence[Route], project: str | None = None) -> Starlette:
    """The application. With `project` set, requests to another one are refused as the service does without access."""
    mounts = [Mount(f"/{version}", routes=list(google)) for version in VERSIONS]
    app = application([*mounts, Mount("/local/v1", routes=list(local))])
    if project is not None:
        app.add_middleware(_OneProject, project=project)
    return app


class _OneProject:
    """Lets through what names `project`, or none."""

    def __init__(self, app: ASGIApp, project: str) -> None:
        self._app = app
        self._project = project

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = scope.get("path", "").split("/")
        named = parts[parts.index("projects") + 1 : parts.index("projects") + 2] if "projects" in parts else []
        if named and named != [self._project]:
            message = f"project {named[0]!r} is not served here; this local Vertex AI has {self._project}"
            refusal = GoogleError("PERMISSION_DENIED", message)
            await JSONResponse(refusal.body(), refusal.http_status)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
