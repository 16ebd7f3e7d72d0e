"""Step entries as the API shows them (workflowexecutions.v1 StepEntry), one by one and listed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...http import GoogleError
from ..history.entry_store import EntryRecord
from ..running.observer import Kind, ValueKind
from ..service.definitions import timestamp
from . import filters
from .listing import Query, answer, page

_PAGE = 1000
_PROGRESS: Mapping[str, str] = {
    Kind.CONDITION: "PROGRESS_TYPE_SWITCH",
    Kind.FOR_ITERATION: "PROGRESS_TYPE_FOR",
    Kind.PARALLEL_BRANCH_ENTRY: "PROGRESS_TYPE_PARALLEL_BRANCH",
    Kind.RETRY: "PROGRESS_TYPE_RETRY",
}
# Values that are a variable's; arguments and returned values have names of ours.
_VARIABLES = (ValueKind.ASSIGNED, ValueKind.RESULT, ValueKind.ITEM, ValueKind.CAUGHT)
_STATES = ("STATE_IN_PROGRESS", "STATE_SUCCEEDED", "STATE_FAILED", "STATE_CANCELLED")
_VIEWS = ("", "EXECUTION_ENTRY_VIEW_UNSPECIFIED", "EXECUTION_ENTRY_VIEW_BASIC", "EXECUTION_ENTRY_VIEW_DETAILED")
FIELDS: filters.Fields = {
    "entryId": filters.number("entryId"),
    "createTime": filters.time("createTime"),
    "updateTime": filters.time("updateTime"),
    "routine": filters.text("routine"),
    "step": filters.text("step"),
    "stepType": filters.enum("stepType", (kind.value for kind in Kind if kind is not Kind.STEPS), "STEP_"),
    "parent": filters.number("navigationInfo.parent"),
    "state": filters.enum("state", _STATES, "STATE_"),
}


def step_entry_page(execution: str, records: Sequence[EntryRecord], query: Query, view: str) -> dict[str, Any]:
    """ListStepEntriesResponse: `stepEntries`, `totalSize` of all that fit, `nextPageToken`. INVALID_ARGUMENT."""
    fits = filters.matcher(query.filter, FIELDS)
    found = [resource for resource in step_entry_resources(execution, records, view) if fits(resource)]
    shown, token = page(
        filters.ordered(found, lambda resource: resource, query.order_by, FIELDS), query, default=_PAGE, maximum=_PAGE
    )
    return {**answer("stepEntries", shown, token), "totalSize": len(found)}


def step_entry(execution: str, records: Sequence[EntryRecord], number: str, view: str) -> dict[str, Any]:
    """A StepEntry by its number. INVALID_ARGUMENT, NOT_FOUND."""
    if not (number.isascii() and number.isdigit()):
        raise GoogleError("INVALID_ARGUMENT", f"a step entry's id is a number, found {number!r}")
    for resource in step_entry_resources(execution, records, view):
        if resource["entryId"] == str(int(number)):
            return resource
    raise GoogleError("NOT_FOUND", f"execution {execution} has no step entry {number}")


def step_entry_resources(execution: str, records: Sequence[EntryRecord], view: str = "") -> list[dict[str, Any]]:
    """All StepEntries. The deprecated `view` can only leave the values out. INVALID_ARGUMENT for another one."""
    if view not in _VIEWS:
        raise GoogleError("INVALID_ARGUMENT", f"view must be one of {', '.join(_VIEWS[1:])}; found {view!r}")
    by_number = {record.id: record for record in records}
    children: dict[int, list[EntryRecord]] = {}
    for record in records:
        children.setdefault(record.parent, []).append(record)
    # Neighbours are siblings in the same branch: the branches of a parallel step have no order.
    previous: dict[int, int] = {}
    following: dict[int, int] = {}
    for siblings in children.values():
        last: dict[str, int] = {}
        for record in siblings:
            thread = _thread(record)
            if thread in last:
                previous[record.id] = last[thread]
                following[last[thread]] = record.id
            last[thread] = record.id
    return [
        _resource(
            execution,
            record,
            by_number.get(record.parent),
            {
                "parent": record.parent,
                "previous": previous.get(record.id),
                "next": following.get(record.id),
                "children": [child.id for child in children.get(record.id, ())],
            },
            with_values=view != "EXECUTION_ENTRY_VIEW_BASIC",
        )
        for record in records
    ]


def _resource(
    execution: str, record: EntryRecord, parent: EntryRecord | None, around: Mapping[str, Any], *, with_values: bool
) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "name": f"{execution}/stepEntries/{record.id}",
        "createTime": timestamp(record.created),
        "updateTime": timestamp(record.updated),
        "routine": record.routine,
        "step": record.step,
        # Differs: nested `steps` are an entry, too, without a type, since the service has none for them.
        "stepType": record.kind if record.kind != Kind.STEPS else None,
        "state": record.state,
        "exception": {"payload": record.exception} if record.exception is not None else None,
        "entryId": str(record.id),
        "navigationInfo": {
            key: [str(number) for number in value] if isinstance(value, list) else str(value)
            for key, value in around.items()
            if value
        },
        "stepEntryMetadata": _metadata(record, parent),
        "variableData": _variables(record) if with_values else None,
    }
    return {key: value for key, value in resource.items() if value}


def _metadata(record: EntryRecord, parent: EntryRecord | None) -> dict[str, str]:
    found: dict[str, str] = {}
    progress = _PROGRESS.get(record.kind)
    if progress is not None and record.part is not None:
        if record.kind == Kind.FOR_ITERATION and parent is not None and parent.kind == Kind.PARALLEL_FOR:
            progress = "PROGRESS_TYPE_PARALLEL_FOR"
        found["progressType"] = progress
        # Everything counts from 0 inside but retries, whose 0 is the first attempt.
        found["progressNumber"] = str(record.part + (record.kind != Kind.RETRY))
        expected = _noted(parent, ValueKind.EXPECTED) if parent is not None else []
        if expected:
            found["expectedIteration"] = str(expected[0][1])
    if _thread(record):
        found["threadId"] = _thread(record)
    return found


def _variables(record: EntryRecord) -> dict[str, Any] | None:
    variables = {name: value for kind in _VARIABLES for name, value in _noted(record, kind) if name}
    for kind, name in ((ValueKind.ARGUMENTS, "args"), (ValueKind.RETURNED, "return")):
        for _, value in _noted(record, kind):
            variables[name] = value
    return {"variables": variables} if variables else None


def _noted(record: EntryRecord, kind: ValueKind) -> list[tuple[str, Any]]:
    if record.notes == "[]":
        return []
    return [(name, value) for noted, name, value in json.loads(record.notes) if noted == kind]


def _thread(record: EntryRecord) -> str:
    return record.key.rpartition("/")[0]
