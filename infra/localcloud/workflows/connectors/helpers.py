"""Methods that only Workflows has, on top of an API's own: an explicit table, as library functions.

`executions.run` starts a workflow and waits for its result; Secret Manager's helpers encode and decode the data and,
as documented, may be called in expressions, too.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..errors import WorkflowError, tagged, type_error, value_error
from ..stdlib.signature import ANY, BYTES, LIST, MAP, STRING, Effect, Function, Param, table
from ..values import to_json
from .arguments import CONNECTOR_PARAMS, outgoing
from .calls import Call, call_method
from .jobs import EXECUTION
from .methods import method_of
from .parameters import ConnectorParams, connector_params

if TYPE_CHECKING:
    from ..running.runtime import Strand

_EXECUTIONS: Final = "googleapis.workflowexecutions.{version}.projects.locations.workflows.executions"
_SECRETS: Final = "googleapis.secretmanager.v1.projects.secrets"


async def _start(
    call: Call, workflow_id: str, location: str | None, project_id: str | None, argument: Any
) -> Mapping[str, Any]:
    environment = call.strand.run.environment
    project = project_id or environment["GOOGLE_CLOUD_PROJECT_ID"]
    place = location or environment["GOOGLE_CLOUD_LOCATION"]
    body = {} if argument is None else {"argument": to_json(argument)}
    parent = f"projects/{project}/locations/{place}/workflows/{workflow_id}"
    answer: Mapping[str, Any] = await call.send(outgoing(call.method, {"parent": parent, "body": body}))
    return answer


def _run(version: str) -> Effect:
    executions = _EXECUTIONS.format(version=version)

    async def run(
        strand: Strand,
        workflow_id: str,
        location: str | None,
        project_id: str | None,
        argument: Any,
        params: Mapping[str, Any] | None,
    ) -> Any:
        call = await Call.begin(strand, method_of(f"{executions}.create"), connector_params(params))
        execution = await _start(call, workflow_id, location, project_id, argument)
        # Documented: without polling, unlike `create`, it returns nothing.
        return None if call.params.skip_polling else await call.wait(EXECUTION, execution)

    return Effect(f"{executions}.run", (*_WORKFLOW, Param("argument", ANY, None), _PARAMS), run)


async def _experimental_run(
    strand: Strand, workflow_id: str, location: str | None, project_id: str | None, argument: Any
) -> Any:
    results = await _experimental_map(strand, workflow_id, [argument], location, project_id)
    return results[0]


async def _experimental_map(
    strand: Strand, workflow_id: str, arguments: list[Any], location: str | None, project_id: str | None
) -> list[Any]:
    """The results in the order of the arguments; all executions run at the same time."""
    method = method_of(f"{_EXECUTIONS.format(version='v1')}.create")
    call = await Call.begin(strand, method, ConnectorParams())
    started = [await _start(call, workflow_id, location, project_id, argument) for argument in arguments]
    return [await _ended(call, execution) for execution in started]


async def _ended(call: Call, execution: Mapping[str, Any]) -> Any:
    try:
        return await call.wait(EXECUTION, execution)
    except WorkflowError as error:
        if "OperationError" not in error.tags:
            raise
        operation = error.payload["operation"]
        message = f"the execution {operation.get('name')} ended as {operation.get('state')}"
        raise tagged("ExecutionError", message, operation=operation, error=error.payload["error"]) from error


async def _access_string(strand: Strand, secret_id: str, version: Any, project_id: str | None) -> str:
    name = f"{_secret(strand, secret_id, project_id)}/versions/{version}"
    answer = await call_method(strand, method_of(f"{_SECRETS}.versions.access"), {"name": name})
    try:
        return base64.b64decode(answer["payload"]["data"], validate=True).decode()
    except ValueError as error:
        raise value_error(f"{name} is not text; use versions.access and decode its payload.data") from error


async def _add_version_string(strand: Strand, secret_id: str, data: str, project_id: str | None) -> Any:
    return await _add_version_bytes(strand, secret_id, data.encode(), project_id)


async def _add_version_bytes(strand: Strand, secret_id: str, data: bytes, project_id: str | None) -> Any:
    body = {"payload": {"data": base64.b64encode(data).decode()}}
    parent = _secret(strand, secret_id, project_id)
    return await call_method(strand, method_of(f"{_SECRETS}.addVersion"), {"parent": parent, "body": body})


def _secret(strand: Strand, secret_id: str, project_id: str | None) -> str:
    if not secret_id:
        raise type_error("secret_id must not be empty")
    return f"projects/{project_id or strand.run.environment['GOOGLE_CLOUD_PROJECT_ID']}/secrets/{secret_id}"


_PROJECT: Final = Param("project_id", STRING, None)
_SECRET: Final = Param("secret_id", STRING)
_WORKFLOW: Final = (Param("workflow_id", STRING), Param("location", STRING, None), _PROJECT)
_PARAMS: Final = Param(CONNECTOR_PARAMS, MAP, None)

HELPERS: Final[Mapping[str, Function]] = table(
    _run("v1"),
    _run("v1beta"),
    Effect("experimental.executions.run", (*_WORKFLOW, Param("argument", ANY, None)), _experimental_run),
    Effect(
        "experimental.executions.map",
        (Param("workflow_id", STRING), Param("arguments", LIST), Param("location", STRING, None), _PROJECT),
        _experimental_map,
    ),
    Effect(
        f"{_SECRETS}.versions.accessString",
        (_SECRET, Param("version", (str, int), "latest"), _PROJECT),
        _access_string,
        blocking=False,
    ),
    Effect(
        f"{_SECRETS}.addVersionString", (_SECRET, Param("data", STRING), _PROJECT), _add_version_string, blocking=False
    ),
    Effect(
        f"{_SECRETS}.addVersionBytes", (_SECRET, Param("data", BYTES), _PROJECT), _add_version_bytes, blocking=False
    ),
)
