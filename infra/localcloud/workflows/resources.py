"""Executions as the API shows them: JSON fields by view, filtered, ordered and paged."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from ..http import GoogleError
from .definitions import timestamp
from .engine import Engine
from .filters import field_text, matcher, ordering
from .store import ExecutionRecord

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
    }
    if view == "FULL":
        steps = engine.executions.current_steps(record.name) if record.state == "ACTIVE" else None
        resource |= {
            "argument": record.argument,
            "result": record.result,
            "error": record.error,
            "labels": dict(record.labels) or None,
            "status": {"currentSteps": steps} if steps else None,
        }
    return {key: value for key, value in resource.items() if value is not None}


def execution_page(
    engine: Engine, workflow: str, *, page_size: int, page_token: str, view: View, filter_: str, order_by: str
) -> dict[str, Any]:
    """`executions` of one page and the `nextPageToken`, newest first unless ordered otherwise."""
    size = min(page_size or _DEFAULT_PAGE, _LARGEST_PAGE[view])
    fits, order = matcher(filter_), ordering(order_by)
    found = _fitting(engine, workflow, fits)
    if order is not None:
        field, descending = order
        found = iter(sorted(found, key=lambda pair: field_text(pair[1], field), reverse=descending))
    shown, token = page((record for record, _ in found), size, page_token)
    resources = [execution_resource(engine, record, view) for record in shown]
    return {"executions": resources, **({"nextPageToken": token} if token else {})}


def page(items: Iterable[Any], size: int, token: str) -> tuple[list[Any], str | None]:
    """The items of a page and the next token. A token is how many items came before."""
    if token and not token.isdigit():
        raise GoogleError("INVALID_ARGUMENT", f"pageToken {token!r} was not given by an earlier page")
    start = int(token or 0)
    found = list(itertools.islice(items, start, start + size + 1))
    return found[:size], str(start + size) if len(found) > size else None


def _fitting(engine: Engine, workflow: str, fits: Any) -> Iterator[tuple[ExecutionRecord, dict[str, Any]]]:
    for record in engine.executions.of_workflow(workflow):
        resource = execution_resource(engine, record, "FULL")
        if fits(resource):
            yield record, resource
