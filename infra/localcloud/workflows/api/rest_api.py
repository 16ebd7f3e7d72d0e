"""workflows.v1 and workflowexecutions.v1 over HTTP: paths, queries and JSON; every rule is elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...http import application
from ..engine import Engine
from ..stdlib.http import METHODS, decode_body
from ..ui import ui_routes
from ..values import to_json
from .events import event_of_push
from .requests import EXECUTION_FIELDS, PUSH_FIELDS, WORKFLOW_FIELDS, query_of, read_message
from .resources import (
    callback_page,
    execution_page,
    execution_resource,
    exported,
    operation_page,
    revision_page,
    view_of,
    workflow_page,
)
from .step_entries import step_entry, step_entry_page

_LOCATION = "/v1/projects/{project}/locations/{location}"
_WORKFLOW = _LOCATION + "/workflows/{workflow}"
_EXECUTION = _WORKFLOW + "/executions/{execution}"
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
        ("GET", _EXECUTION + ":exportData", api.export_data),
        ("POST", _EXECUTION + ":deleteExecutionHistory", api.delete_history),
        ("GET", _EXECUTION + "/stepEntries", api.list_step_entries),
        ("GET", _EXECUTION + "/stepEntries/{entry}", api.get_step_entry),
        ("GET", _EXECUTION, api.get_execution),
        ("GET", _EXECUTION + "/callbacks", api.list_callbacks),
    ]
    written = [Route(path, _written(handler), methods=[method]) for method, path, handler in routes]
    callback = Route(_EXECUTION + "/callbacks/{callback}", _written(api.receive_callback), methods=list(METHODS))
    return application([*written, callback, *ui_routes(engine)])


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
        return operation_page(self._engine, _parent(request), query_of(request))

    async def get_operation(self, request: Request) -> Any:
        """Operation."""
        return self._engine.definitions.operation(_operation(request))

    async def delete_operation(self, request: Request) -> Any:
        """Empty."""
        self._engine.definitions.delete_operation(_operation(request))
        return {}

    async def create_workflow(self, request: Request) -> Any:
        """Operation."""
        body = await read_message(request, WORKFLOW_FIELDS)
        return self._engine.definitions.create(_parent(request), request.query_params.get("workflowId", ""), body)

    async def list_workflows(self, request: Request) -> Any:
        """Workflows, by name unless ordered otherwise."""
        return workflow_page(self._engine, _parent(request), query_of(request))

    async def get_workflow(self, request: Request) -> Any:
        """Workflow."""
        return self._engine.definitions.get(_workflow(request), request.query_params.get("revisionId") or None)

    async def patch_workflow(self, request: Request) -> Any:
        """Operation."""
        mask = [field for field in request.query_params.get("updateMask", "").split(",") if field]
        body = await read_message(request, WORKFLOW_FIELDS)
        return self._engine.definitions.update(_workflow(request), body, mask)

    async def delete_workflow(self, request: Request) -> Any:
        """Operation."""
        return self._engine.definitions.delete(_workflow(request))

    async def list_revisions(self, request: Request) -> Any:
        """Workflows, newest revision first."""
        return revision_page(self._engine, _workflow(request), query_of(request))

    # --- workflowexecutions.v1

    async def create_execution(self, request: Request) -> Any:
        """The new Execution."""
        body = await read_message(request, EXECUTION_FIELDS)
        record = self._engine.executions.create(
            _workflow(request),
            body.get("argument") or None,
            body.get("labels"),
            body.get("callLogLevel"),
            body.get("executionHistoryLevel"),
            body.get("disableConcurrencyQuotaOverflowBuffering", False),
        )
        return execution_resource(self._engine, record, "FULL")

    async def trigger(self, request: Request) -> Any:
        """The new Execution for a Pub/Sub push, its argument the CloudEvent that Eventarc would make of it."""
        event = event_of_push(await read_message(request, PUSH_FIELDS), self._engine.clock.now())
        record = self._engine.executions.create(_workflow(request), to_json(event))
        return execution_resource(self._engine, record, "FULL")

    async def get_execution(self, request: Request) -> Any:
        """Execution."""
        view = view_of(request.query_params.get("view", ""), "FULL")
        return execution_resource(self._engine, self._engine.executions.get(_execution(request)), view)

    async def list_executions(self, request: Request) -> Any:
        """A page of Executions."""
        view = view_of(request.query_params.get("view", ""), "BASIC")
        return execution_page(self._engine, _workflow(request), query_of(request), view)

    async def cancel_execution(self, request: Request) -> Any:
        """The cancelled Execution."""
        record = self._engine.executions.cancel(_execution(request))
        return execution_resource(self._engine, record, "FULL")

    async def list_callbacks(self, request: Request) -> Any:
        """Callbacks."""
        return callback_page(self._engine, _execution(request), query_of(request))

    async def export_data(self, request: Request) -> Any:
        """ExportDataResponse."""
        return exported(self._engine, self._engine.executions.get(_execution(request)))

    async def delete_history(self, request: Request) -> Any:
        """Empty, once the step entries are gone."""
        self._engine.executions.delete_history(_execution(request))
        return {}

    async def list_step_entries(self, request: Request) -> Any:
        """A page of StepEntries."""
        name = _execution(request)
        view = request.query_params.get("view", "")
        return step_entry_page(name, self._engine.executions.history(name), query_of(request), view)

    async def get_step_entry(self, request: Request) -> Any:
        """StepEntry."""
        name = _execution(request)
        view = request.query_params.get("view", "")
        return step_entry(name, self._engine.executions.history(name), request.path_params["entry"], view)

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
