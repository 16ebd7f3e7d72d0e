"""google.cloud.workflows.executions.v1.Executions over gRPC, on the message types of google-cloud-workflows.

The Python client has no REST transport for executions, so this is the only way for it to reach a local server.
"""

from __future__ import annotations

import json
from typing import Any

from google.cloud.workflows import executions_v1 as v1

from ..engine import Engine
from ..service.store import ExecutionRecord
from .grpc_calls import Method, service_handler
from .listing import Query
from .requests import check_labels
from .resources import View, execution_page, execution_resource


def executions_handler(engine: Engine) -> Any:
    """The Executions service."""
    api = _Api(engine)
    methods = {
        "CreateExecution": Method(api.create, v1.CreateExecutionRequest.deserialize),
        "GetExecution": Method(api.get, v1.GetExecutionRequest.deserialize),
        "ListExecutions": Method(api.list, v1.ListExecutionsRequest.deserialize),
        "CancelExecution": Method(api.cancel, v1.CancelExecutionRequest.deserialize),
    }
    return service_handler("google.cloud.workflows.executions.v1.Executions", methods)


class _Api:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, request: Any) -> bytes:
        """The new Execution."""
        execution = request.execution
        level = execution.call_log_level.name if execution.call_log_level else None
        labels = dict(execution.labels)
        check_labels(labels)
        record = self._engine.executions.create(request.parent, execution.argument or None, labels, level)
        return self._message(record, "FULL")

    def get(self, request: Any) -> bytes:
        """Execution."""
        return self._message(self._engine.executions.get(request.name), _view(request, "FULL"))

    def list(self, request: Any) -> bytes:
        """A page of Executions."""
        query = Query(request.page_size, request.page_token, request.filter, request.order_by)
        found = execution_page(self._engine, request.parent, query, _view(request, "BASIC"))
        message = v1.ListExecutionsResponse.from_json(json.dumps(found), ignore_unknown_fields=True)
        return bytes(v1.ListExecutionsResponse.serialize(message))

    def cancel(self, request: Any) -> bytes:
        """The cancelled Execution."""
        return self._message(self._engine.executions.cancel(request.name), "FULL")

    def _message(self, record: ExecutionRecord, view: View) -> bytes:
        resource = execution_resource(self._engine, record, view)
        # The REST resource is newer than the message: createTime, for one, is not in it.
        message = v1.Execution.from_json(json.dumps(resource), ignore_unknown_fields=True)
        return bytes(v1.Execution.serialize(message))


def _view(request: Any, default: View) -> View:
    name = request.view.name
    return name if name in ("BASIC", "FULL") else default
