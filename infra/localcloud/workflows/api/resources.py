"""Resources as the APIs show them: JSON fields by view, and listings that are filtered, ordered and paged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from ...http import GoogleError
from ..engine import Engine
from ..service.definitions import timestamp
from ..service.store import ExecutionRecord
from . import filters
from .listing import Query, answer, page
from .requests import CALL_LOG_LEVELS, HISTORY_LEVELS
from .step_entries import step_entry_resources

View = Literal["BASIC", "FULL"]
_VIEWS: Mapping[str, View | None] = {
    "": None,
    "0": None,
    "1": "BASIC",
    "2": "FULL",
    "EXECUTION_VIEW_UNSPECIFIED": None,
    "BASIC": "BASIC",
    "FULL": "FULL",
}
_DEFAULT_PAGE = 100
_LARGEST_PAGE: Mapping[View, int] = {"BASIC": 1000, "FULL": 100}
_STEP_NAMES = filters.each(lambda e: [step["step"] for step in e.get("status", {}).get("currentSteps", ())])
STATES = ("ACTIVE", "SUCCEEDED", "FAILED", "CANCELLED", "UNAVAILABLE", "QUEUED")
FIELDS: filters.Fields = {
    "executionId": filters.last_part("name"),
    "state": filters.enum("state", STATES),
    "createTime": filters.time("createTime"),
    "startTime": filters.time("startTime"),
    "endTime": filters.time("endTime"),
    "duration": filters.duration("duration"),
    "workflowRevisionId": filters.text("workflowRevisionId"),
    "stepName": _STEP_NAMES,
    "label": filters.LABELS,
    "labels": filters.LABELS,
    "disableConcurrencyQuotaOverflowBuffering": filters.boolean("disableConcurrencyQuotaOverflowBuffering"),
}
_WORKFLOW_FIELDS: filters.Fields = {
    "name": filters.text("name"),
    "workflowId": filters.last_part("name"),
    "description": filters.text("description"),
    "state": filters.enum("state", ("ACTIVE", "UNAVAILABLE")),
    "createTime": filters.time("createTime"),
    "updateTime": filters.time("updateTime"),
    "revisionCreateTime": filters.time("revisionCreateTime"),
    "revisionId": filters.text("revisionId"),
    "serviceAccount": filters.text("serviceAccount"),
    "callLogLevel": filters.enum("callLogLevel", CALL_LOG_LEVELS),
    "executionHistoryLevel": filters.enum("executionHistoryLevel", HISTORY_LEVELS),
    "label": filters.LABELS,
    "labels": filters.LABELS,
}
_OPERATION_FIELDS: filters.Fields = {
    "name": filters.text("name"),
    "done": filters.boolean("done"),
    "target": filters.text("metadata.target"),
    "verb": filters.text("metadata.verb"),
    "createTime": filters.time("metadata.createTime"),
}


def workflow_page(engine: Engine, parent: str, query: Query) -> dict[str, Any]:
    """`workflows` of one page, by name unless ordered otherwise."""
    return _page("workflows", engine.definitions.of_location(parent), query, _WORKFLOW_FIELDS, 500, 1000)


def revision_page(engine: Engine, workflow: str, query: Query) -> dict[str, Any]:
    """`workflows` of one page, newest revision first. NOT_FOUND."""
    return _page("workflows", engine.definitions.revisions(workflow), query, {}, 20, 100)


def operation_page(engine: Engine, parent: str, query: Query) -> dict[str, Any]:
    """`operations` of one page."""
    return _page("operations", engine.definitions.operations(parent), query, _OPERATION_FIELDS, 100, 1000)


def callback_page(engine: Engine, execution: str, query: Query) -> dict[str, Any]:
    """`callbacks` of one page. NOT_FOUND."""
    engine.executions.get(execution)
    return _page("callbacks", engine.callbacks.listing(execution), query, {}, 100, 100)


def _page(
    key: str, found: Iterable[dict[str, Any]], query: Query, fields: filters.Fields, default: int, maximum: int
) -> dict[str, Any]:
    kept = filter(filters.matcher(query.filter, fields), found)
    in_order = filters.ordered(kept, lambda resource: resource, query.order_by, fields)
    shown, token = page(in_order, query, default=default, maximum=maximum)
    return answer(key, shown, token)


def view_of(text: str, default: View) -> View:
    """A view by name or number. INVALID_ARGUMENT for any other."""
    if text not in _VIEWS:
        raise GoogleError("INVALID_ARGUMENT", f"view must be BASIC or FULL, found {text!r}")
    return _VIEWS[text] or default


def execution_resource(engine: Engine, record: ExecutionRecord, view: View) -> dict[str, Any]:
    """An Execution. Fields without a value are left out."""
    ended = record.ended if record.ended is not None else engine.clock.now()
    resource: dict[str, Any] = {
        "name": record.name,
        "createTime": timestamp(record.created),
        "startTime": timestamp(record.created),
        "endTime": timestamp(record.ended) if record.ended is not None else None,
        "duration": f"{max(0.0, ended - record.created):.6f}s",
        "state": record.state,
        "workflowRevisionId": record.revision,
        "callLogLevel": record.call_log_level,
        "executionHistoryLevel": record.history_level,
        "disableConcurrencyQuotaOverflowBuffering": record.unbuffered or None,
    }
    if view == "FULL":
        steps = engine.executions.current_steps(record.name) if record.state == "ACTIVE" else record.last_steps
        resource |= {
            "argument": record.argument,
            "result": record.result,
            "error": record.error,
            "labels": dict(record.labels) or None,
            "status": {"currentSteps": list(steps)} if steps else None,
        }
    return {key: value for key, value in resource.items() if value is not None}


def execution_page(engine: Engine, workflow: str, query: Query, view: View) -> dict[str, Any]:
    """`executions` of one page and the `nextPageToken`, newest first unless ordered otherwise."""
    fits = filters.matcher(query.filter, FIELDS)
    found = filters.ordered(_fitting(engine, workflow, fits), lambda pair: pair[1], query.order_by, FIELDS)
    shown, token = page(found, query, default=_DEFAULT_PAGE, maximum=_LARGEST_PAGE[view])
    return answer("executions", [execution_resource(engine, record, view) for record, _ in shown], token)


def exported(engine: Engine, record: ExecutionRecord) -> dict[str, Any]:
    """ExportDataResponse: everything kept about an execution.

    Differs: the service does not say what its JSON text has. Here it is the execution, the workflow's revision that
    it runs, and its step entries.
    """
    data = {
        "execution": execution_resource(engine, record, "FULL"),
        "workflow": engine.definitions.get(record.workflow, record.revision),
        "stepEntries": step_entry_resources(record.name, engine.executions.history(record.name)),
    }
    return {"data": json.dumps(data, ensure_ascii=False)}


def _fitting(engine: Engine, workflow: str, fits: filters.Matcher) -> Iterator[tuple[ExecutionRecord, dict[str, Any]]]:
    for record in engine.executions.of_workflow(workflow):
        resource = execution_resource(engine, record, "FULL")
        if fits(resource):
            yield record, resource
