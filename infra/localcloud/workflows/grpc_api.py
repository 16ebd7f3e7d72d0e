"""google.cloud.workflows.executions.v1.Executions over gRPC, on the message types of google-cloud-workflows.

The Python client has no REST transport for executions, so this is the only way for it to reach a local server.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.cloud.workflows import executions_v1 as v1

from ..http import RPC_CODES, GoogleError
from .engine import Engine
from .resources import View, execution_page, execution_resource
from .store import ExecutionRecord

_SERVICE = "google.cloud.workflows.executions.v1.Executions"
_STATUS = {code.value[0]: code for code in grpc.StatusCode}


def grpc_server(engine: Engine) -> Any:
    """A grpc.aio server with the Executions service, not bound to a port yet."""
    api = _Api(engine)
    methods = {
        "CreateExecution": (api.create, v1.CreateExecutionRequest, v1.Execution),
        "GetExecution": (api.get, v1.GetExecutionRequest, v1.Execution),
        "ListExecutions": (api.list, v1.ListExecutionsRequest, v1.ListExecutionsResponse),
        "CancelExecution": (api.cancel, v1.CancelExecutionRequest, v1.Execution),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _answered(handler), request_deserializer=request.deserialize, response_serializer=response.serialize
        )
        for name, (handler, request, response) in methods.items()
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    return server


def _answered(handler: Callable[[Any], Any]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def answer(request: Any, context: Any) -> Any:
        try:
            return handler(request)
        except GoogleError as error:
            await context.abort(_STATUS[RPC_CODES[error.status][0]], error.message)

    return answer


class _Api:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, request: Any) -> Any:
        """The new Execution."""
        execution = request.execution
        level = execution.call_log_level.name if execution.call_log_level else None
        argument = execution.argument or None
        return self._message(
            self._engine.executions.create(request.parent, argument, dict(execution.labels), level), "FULL"
        )

    def get(self, request: Any) -> Any:
        """Execution."""
        return self._message(self._engine.executions.get(request.name), _view(request, "FULL"))

    def list(self, request: Any) -> Any:
        """A page of Executions."""
        found = execution_page(
            self._engine,
            request.parent,
            page_size=request.page_size,
            page_token=request.page_token,
            view=_view(request, "BASIC"),
            filter_=request.filter,
            order_by=request.order_by,
        )
        return v1.ListExecutionsResponse.from_json(json.dumps(found), ignore_unknown_fields=True)

    def cancel(self, request: Any) -> Any:
        """The cancelled Execution."""
        return self._message(self._engine.executions.cancel(request.name), "FULL")

    def _message(self, record: ExecutionRecord, view: View) -> Any:
        resource = execution_resource(self._engine, record, view)
        # The REST resource is newer than the message: createTime, for one, is not in it.
        return v1.Execution.from_json(json.dumps(resource), ignore_unknown_fields=True)


def _view(request: Any, default: View) -> View:
    name = request.view.name
    return name if name in ("BASIC", "FULL") else default
