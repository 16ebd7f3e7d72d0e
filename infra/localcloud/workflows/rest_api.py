"""workflows.v1 and workflowexecutions.v1 over HTTP: paths, queries and JSON; every rule is elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..http import GoogleError, application, read_json
from .engine import Engine
from .events import event_of_push
from .filters import matcher
from .resources import execution_page, execution_resource, page, view_of
from .stdlib.http import METHODS, decode_body
from .values import to_json

_LOCATION = "/v1/projects/{project}/locations/{location}"
_WORKFLOW = _LOCATION + "/workflows/{workflow}"
_EXECUTION = _WORKFLOW + "/executions/{execution}"
_WORKFLOW_PAGE, _WORKFLOW_PAGE_MAXIMUM = 500, 1000
_REVISION_PAGE, _REVISION_PAGE_MAXIMUM = 20, 100
# Enum fields that clients may send as numbers.
_CALL_LOG_LEVELS = ("CALL_LOG_LEVEL_UNSPECIFIED", "LOG_ALL_CALLS", "LOG_ERRORS_ONLY", "LOG_NONE")
_HISTORY_LEVELS = ("EXECUTION_HISTORY_LEVEL_UNSPECIFIED", "EXECUTION_HISTORY_BASIC", "EXECUTION_HISTORY_DETAILED")

_Result = TypeVar("_Result")
Handler = Callable[[Request], Awaitable[Any]]


def rest_application(engine: Engine, project: str, location: str) -> Starlette:
    """The REST server of an engine. `project` and `location` only say what is listed; any others work as well."""
    api = _Api(engine, project, location)
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/v1/projects/{project}/locations", api.list_locations),
        ("GET", _LOCATION, api.get_location),
        ("GET", _LOCATION + "/operations", api.list_operations),
        ("GET", _LOCATION + "/operations/{operation}", api.get_operation),
        ("DELETE", _LOCATION + "/operations/{operation}", api.delete_operation),
        ("POST", _LOCATION + "/workflows", api.create_workflow),
        ("GET", _LOCATION + "/workflows", api.list_workflows),
        ("GET", _WORKFLOW + ":listRevisions", api.list_revisions),
        ("POST", _WORKFLOW + ":triggerPubsubExecution", api.trigger),
        ("GET", _WORKFLOW, api.get_workflow),
        ("PATCH", _WORKFLOW, api.patch_workflow),
        ("DELETE", _WORKFLOW, api.delete_workflow),
        ("POST", _WORKFLOW + "/executions", api.create_execution),
        ("GET", _WORKFLOW + "/executions", api.list_executions),
        ("POST", _EXECUTION + ":cancel", api.cancel_execution),
        ("GET", _EXECUTION, api.get_execution),
        ("GET", _EXECUTION + "/callbacks", api.list_callbacks),
    ]
    written = [Route(path, _written(handler), methods=[method]) for method, path, handler in routes]
    callback = Route(_EXECUTION + "/callbacks/{callback}", _written(api.receive_callback), methods=list(METHODS))
    return application([*written, callback])


def _written(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        return JSONResponse(await handler(request))

    return respond


class _Api:
    def __init__(self, engine: Engine, project: str, location: str) -> None:
        self._engine = engine
        self._project = project
        self._location = location

    # --- workflows.v1

    async def list_locations(self, request: Request) -> Any:
        """The one location of the one project."""
        if request.path_params["project"] != self._project:
            return {"locations": []}
        name = f"projects/{self._project}/locations/{self._location}"
        return {"locations": [{"name": name, "locationId": self._location}]}

    async def get_location(self, request: Request) -> Any:
        """Any location exists."""
        return {"name": _parent(request), "locationId": request.path_params["location"]}

    async def list_operations(self, request: Request) -> Any:
        """Operations."""
        return {"operations": self._engine.definitions.operations(_parent(request))}

    async def get_operation(self, request: Request) -> Any:
        """Operation."""
        return self._engine.definitions.operation(_operation(request))

    async def delete_operation(self, request: Request) -> Any:
        """Empty."""
        self._engine.definitions.delete_operation(_operation(request))
        return {}

    async def create_workflow(self, request: Request) -> Any:
        """Operation."""
        body = _named_enums(await read_json(request))
        return self._engine.definitions.create(_parent(request), request.query_params.get("workflowId", ""), body)

    async def list_workflows(self, request: Request) -> Any:
        """Workflows by name."""
        fits = matcher(request.query_params.get("filter", ""))
        found = [w for w in self._engine.definitions.of_location(_parent(request)) if fits(w)]
        return _paged(request, "workflows", found, _WORKFLOW_PAGE, _WORKFLOW_PAGE_MAXIMUM)

    async def get_workflow(self, request: Request) -> Any:
        """Workflow."""
        return self._engine.definitions.get(_workflow(request), request.query_params.get("revisionId") or None)

    async def patch_workflow(self, request: Request) -> Any:
        """Operation."""
        mask = [field for field in request.query_params.get("updateMask", "").split(",") if field]
        return self._engine.definitions.update(_workflow(request), _named_enums(await read_json(request)), mask)

    async def delete_workflow(self, request: Request) -> Any:
        """Operation."""
        return self._engine.definitions.delete(_workflow(request))

    async def list_revisions(self, request: Request) -> Any:
        """Workflows, newest revision first."""
        found = self._engine.definitions.revisions(_workflow(request))
        return _paged(request, "workflows", found, _REVISION_PAGE, _REVISION_PAGE_MAXIMUM)

    # --- workflowexecutions.v1

    async def create_execution(self, request: Request) -> Any:
        """The new Execution."""
        body = _named_enums(await read_json(request))
        argument = body.get("argument")
        if argument is not None and not isinstance(argument, str):
            message = 'argument must be a JSON text in a string, such as "{\\"key\\": 1}"'
            raise GoogleError("INVALID_ARGUMENT", message)
        record = self._engine.executions.create(
            _workflow(request), argument or None, body.get("labels"), body.get("callLogLevel")
        )
        return execution_resource(self._engine, record, "FULL")

    async def trigger(self, request: Request) -> Any:
        """The new Execution for a Pub/Sub push, its argument the CloudEvent that Eventarc would make of it."""
        event = event_of_push(await read_json(request), self._engine.clock.now())
        record = self._engine.executions.create(_workflow(request), to_json(event))
        return execution_resource(self._engine, record, "FULL")

    async def get_execution(self, request: Request) -> Any:
        """Execution."""
        view = view_of(request.query_params.get("view", ""), "FULL")
        return execution_resource(self._engine, self._engine.executions.get(_execution(request)), view)

    async def list_executions(self, request: Request) -> Any:
        """A page of Executions."""
        query = request.query_params
        return execution_page(
            self._engine,
            _workflow(request),
            page_size=_page_size(request),
            page_token=query.get("pageToken", ""),
            view=view_of(query.get("view", ""), "BASIC"),
            filter_=query.get("filter", ""),
            order_by=query.get("orderBy", ""),
        )

    async def cancel_execution(self, request: Request) -> Any:
        """The cancelled Execution."""
        record = self._engine.executions.cancel(_execution(request))
        return execution_resource(self._engine, record, "FULL")

    async def list_callbacks(self, request: Request) -> Any:
        """Callbacks."""
        self._engine.executions.get(_execution(request))
        return _paged(request, "callbacks", self._engine.callbacks.listing(_execution(request)), 50, 100)

    async def receive_callback(self, request: Request) -> Any:
        """Empty, once the request is kept."""
        body = await request.body()
        received = {
            "body": decode_body(body, request.headers.get("content-type", "")),
            "headers": {"-".join(p.capitalize() for p in k.split("-")): v for k, v in request.headers.items()},
            "method": request.method,
            "query": dict(request.query_params),
            "url": str(request.url),
        }
        self._engine.callbacks.receive(_execution(request), request.path_params["callback"], received)
        return {}


def _parent(request: Request) -> str:
    return f"projects/{request.path_params['project']}/locations/{request.path_params['location']}"


def _operation(request: Request) -> str:
    return f"{_parent(request)}/operations/{request.path_params['operation']}"


def _workflow(request: Request) -> str:
    return f"{_parent(request)}/workflows/{request.path_params['workflow']}"


def _execution(request: Request) -> str:
    return f"{_workflow(request)}/executions/{request.path_params['execution']}"


def _page_size(request: Request) -> int:
    text = request.query_params.get("pageSize", "0")
    if not text.isdigit():
        raise GoogleError("INVALID_ARGUMENT", f"pageSize must be a positive number, found {text!r}")
    return int(text)


def _paged(request: Request, key: str, found: list[_Result], default: int, maximum: int) -> dict[str, Any]:
    size = min(_page_size(request) or default, maximum)
    shown, token = page(found, size, request.query_params.get("pageToken", ""))
    return {key: shown, **({"nextPageToken": token} if token else {})}


def _named_enums(body: dict[str, Any]) -> dict[str, Any]:
    """The body with enum numbers written as names, the unspecified ones left out."""
    for field, names in (("callLogLevel", _CALL_LOG_LEVELS), ("executionHistoryLevel", _HISTORY_LEVELS)):
        value = body.get(field)
        if isinstance(value, int) and 0 <= value < len(names):
            value = names[value]
        if value is not None and value not in names:
            raise GoogleError("INVALID_ARGUMENT", f"{field} must be one of {', '.join(names)}, found {value!r}")
        body.pop(field, None)
        if value is not None and value != names[0]:
            body[field] = value
    return body
