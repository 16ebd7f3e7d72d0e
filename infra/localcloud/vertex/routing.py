"""What all API modules share: routes whose handlers return a JSON object, and where a request points."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .masks import parse_mask
from .names import Parent

PARENT_PATH = "/projects/{project}/locations/{location}"
Handler = Callable[[Request], Awaitable[Mapping[str, Any]]]


def route(method: str, path: str, handler: Handler) -> Route:
    """A route whose answer is the handler's object, cut down to the query's ``fields``."""

    async def answer(request: Request) -> Response:
        body = await handler(request)
        if fields := request.query_params.get("fields"):
            body = parse_mask(fields).select(body)
        return JSONResponse(body)

    return Route(path, answer, methods=[method])


def parent_of(request: Request) -> Parent:
    return Parent(request.path_params["project"], request.path_params["location"])


def resource_name(request: Request, kind: str) -> str:
    """The name of the resource in the path, whose id is the parameter ``id``."""
    return parent_of(request).resource(kind, request.path_params["id"])


def present(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource without empty fields: Google's JSON leaves them out."""
    return {key: value for key, value in resource.items() if value not in (None, "", {}, [], ())}
