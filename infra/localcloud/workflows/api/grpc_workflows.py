"""google.cloud.workflows.v1.Workflows over gRPC, with the operations that it answers with.

What the official client speaks unless it is told to use REST; the rules are those of the REST API.
"""

from __future__ import annotations

from typing import Any

from google.cloud import workflows_v1 as v1
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2, json_format

from ..engine import Engine
from .grpc_calls import Method, service_handler
from .listing import Query
from .requests import WORKFLOW_FIELDS, message_of
from .resources import operation_page, revision_page, workflow_page


def workflows_handler(engine: Engine) -> Any:
    """The Workflows service."""
    api = _Workflows(engine)
    methods = {
        "ListWorkflows": _method(api.list, v1.ListWorkflowsRequest),
        "GetWorkflow": _method(api.get, v1.GetWorkflowRequest),
        "CreateWorkflow": _method(api.create, v1.CreateWorkflowRequest),
        "UpdateWorkflow": _method(api.update, v1.UpdateWorkflowRequest),
        "DeleteWorkflow": _method(api.delete, v1.DeleteWorkflowRequest),
        "ListWorkflowRevisions": _method(api.list_revisions, v1.ListWorkflowRevisionsRequest),
    }
    return service_handler("google.cloud.workflows.v1.Workflows", methods)


def operations_handler(engine: Engine) -> Any:
    """The Operations service, for those who wait for a deployment."""
    api = _Operations(engine)
    methods = {
        "ListOperations": Method(api.list, operations_pb2.ListOperationsRequest.FromString),
        "GetOperation": Method(api.get, operations_pb2.GetOperationRequest.FromString),
        "DeleteOperation": Method(api.delete, operations_pb2.DeleteOperationRequest.FromString),
    }
    return service_handler("google.longrunning.Operations", methods)


def _method(answer: Any, request: Any) -> Method:
    return Method(answer, request.deserialize)


class _Workflows:
    """Each method takes a request and gives the serialized answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(self, request: Any) -> bytes:
        """ListWorkflowsResponse."""
        query = Query(request.page_size, request.page_token, request.filter, request.order_by)
        return _written(v1.ListWorkflowsResponse, workflow_page(self._engine, request.parent, query))

    def list_revisions(self, request: Any) -> bytes:
        """ListWorkflowRevisionsResponse."""
        query = Query(request.page_size, request.page_token)
        return _written(v1.ListWorkflowRevisionsResponse, revision_page(self._engine, request.name, query))

    def get(self, request: Any) -> bytes:
        """Workflow."""
        return _written(v1.Workflow, self._engine.definitions.get(request.name, request.revision_id or None))

    def create(self, request: Any) -> bytes:
        """Operation."""
        body = _body(request.workflow)
        return _operation(self._engine.definitions.create(request.parent, request.workflow_id, body))

    def update(self, request: Any) -> bytes:
        """Operation."""
        body = _body(request.workflow)
        return _operation(self._engine.definitions.update(request.workflow.name, body, request.update_mask.paths))

    def delete(self, request: Any) -> bytes:
        """Operation."""
        return _operation(self._engine.definitions.delete(request.name))


class _Operations:
    """Each method takes a request and gives the serialized answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(self, request: Any) -> bytes:
        """ListOperationsResponse."""
        found = operation_page(self._engine, request.name, Query(request.page_size, request.page_token, request.filter))
        return _serialized(json_format.ParseDict(found, operations_pb2.ListOperationsResponse()))

    def get(self, request: Any) -> bytes:
        """Operation."""
        return _operation(self._engine.definitions.operation(request.name))

    def delete(self, request: Any) -> bytes:
        """Empty."""
        self._engine.definitions.delete_operation(request.name)
        return _serialized(empty_pb2.Empty())


def _body(workflow: Any) -> dict[str, Any]:
    fields = type(workflow).to_dict(
        workflow,
        preserving_proto_field_name=False,
        use_integers_for_enums=False,
        always_print_fields_with_no_presence=False,
    )
    return message_of(fields, WORKFLOW_FIELDS)


def _written(message: Any, resource: dict[str, Any]) -> bytes:
    # A resource may have fields that the message of an installed client does not know yet.
    parsed = json_format.ParseDict(resource, message.pb(message()), ignore_unknown_fields=True)
    return _serialized(parsed)


def _operation(resource: dict[str, Any]) -> bytes:
    return _serialized(json_format.ParseDict(resource, operations_pb2.Operation(), ignore_unknown_fields=True))


def _serialized(message: Any) -> bytes:
    return bytes(message.SerializeToString())
