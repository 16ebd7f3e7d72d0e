"""The `filter` and `orderBy` of listings: comparisons joined by AND, over the fields of a resource."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..http import GoogleError

_COMPARISON = re.compile(r'\s*([A-Za-z_.]+)\s*(!=|<=|>=|=|:|<|>)\s*("(?:[^"\\]|\\.)*"|[^\s()]+)\s*')
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    ":": lambda found, wanted: wanted in found,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Matcher = Callable[[Mapping[str, Any]], bool]


def matcher(text: str) -> Matcher:
    """Whether a resource fits the filter. INVALID_ARGUMENT for a filter of another form.

    A field is named as in the resource, in snake or camel case, `labels.KEY` included; `executionId` is the last
    part of the name.
    """
    conditions = [_condition(part) for part in re.split(r"\s+AND\s+", text.strip())] if text.strip() else []
    return lambda resource: all(condition(resource) for condition in conditions)


def ordering(text: str) -> tuple[str, bool] | None:
    """(field, descending) of `field` or `field desc`; None when empty. INVALID_ARGUMENT for another form."""
    if not text.strip():
        return None
    field, *direction = text.split()
    if direction not in ([], ["asc"], ["desc"]):
        raise GoogleError("INVALID_ARGUMENT", f"orderBy must be a field, then asc or desc; found {text!r}")
    return field, direction == ["desc"]


def field_text(resource: Mapping[str, Any], field: str) -> str:
    """A field of a resource as text, empty when it has none."""
    head, *rest = field.split("_")
    name = head + "".join(part.capitalize() for part in rest)
    if name in ("executionId", "workflowId"):
        return str(resource["name"]).rpartition("/")[2]
    value: Any = resource
    for part in name.split(".") if not field.startswith("labels.") else ["labels", field.removeprefix("labels.")]:
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    return str(value)


def _condition(part: str) -> Matcher:
    match = _COMPARISON.fullmatch(part)
    if match is None:
        message = f"filter must be comparisons such as state=ACTIVE joined by AND; found {part!r}"
        raise GoogleError("INVALID_ARGUMENT", message)
    field, symbol, wanted = match.groups()
    text = wanted[1:-1].replace('\\"', '"') if wanted.startswith('"') else wanted
    return lambda resource: _OPERATORS[symbol](field_text(resource, field), text)
