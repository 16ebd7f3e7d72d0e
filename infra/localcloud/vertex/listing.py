"""Lists as the service gives them: filter, order, pages.

The filter is the part of https://google.aip.dev/160 that clients use: terms joined by AND, each ``field = value``,
``field != value`` or ``field : value`` (has; ``labels.key:*`` asks for the key alone), ``*`` in a value as a
wildcard. Differs: OR, NOT, parentheses and ordering comparisons are refused by name.
"""

from __future__ import annotations

import base64
import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.datastructures import QueryParams

from ..http import GoogleError
from .masks import Mask, camel_case, parse_mask

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
_TERM = re.compile(r"""\s*([\w.\-]+)\s*(!=|=|:)\s*("(?:[^"\\]|\\.)*"|[^\s"()]+)\s*""")
_ORDERABLE = ("createTime", "updateTime", "displayName", "name")

Resource = Mapping[str, Any]


def page(resources: Sequence[Resource], key: str, query: QueryParams) -> dict[str, Any]:
    """The list response for rendered `resources` (oldest first): newest first unless ``orderBy`` says otherwise."""
    chosen = [resource for resource in resources if matches(query.get("filter", ""), resource)]
    chosen = _ordered(chosen[::-1], query.get("orderBy", ""))
    start, size = _start(query.get("pageToken", "")), _size(query.get("pageSize", ""))
    mask = _read_mask(query.get("readMask", ""))
    answer: dict[str, Any] = {}
    if rows := [mask.select(resource) for resource in chosen[start : start + size]]:
        answer[key] = rows
    if start + size < len(chosen):
        answer["nextPageToken"] = base64.urlsafe_b64encode(f"after:{start + size}".encode()).decode()
    return answer


def matches(text: str, resource: Resource) -> bool:
    """Whether a rendered resource passes the filter; INVALID_ARGUMENT for a filter outside the supported part."""
    return all(term(resource) for term in _parse_filter(text))


def _parse_filter(text: str) -> list[Callable[[Resource], bool]]:
    terms = []
    at = 0
    while text[at:].strip():
        match = _TERM.match(text, at)
        if match is None:
            raise GoogleError(
                "INVALID_ARGUMENT",
                f"filter {text!r}: cannot read {text[at:]!r}; supported are terms like labels.key=value, labels.key:*, "
                'display_name="x", state="..." joined by AND',
            )
        terms.append(_term(*match.groups()))
        at = match.end()
        if joined := re.match(r"AND\s+", text[at:]):
            at += joined.end()
    return terms


def _term(field: str, operator: str, raw: str) -> Callable[[Resource], bool]:
    wanted = re.sub(r"\\(.)", r"\1", raw[1:-1]) if raw.startswith('"') else raw
    head, _, label = field.partition(".")
    path = [head, label] if head == "labels" else [camel_case(part) for part in field.split(".")]

    def holds(resource: Resource) -> bool:
        found: Any = resource
        for part in filter(None, path):
            found = found.get(part) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping):  # labels:key
            return (wanted == "*" and bool(found)) or wanted in found
        if found is None:
            return operator == "!="
        same = fnmatch.fnmatchcase(str(found), wanted.replace("[", "[[]"))
        return same != (operator == "!=")

    return holds


def _ordered(resources: list[Resource], order: str) -> list[Resource]:
    for clause in reversed([part.split() for part in order.split(",") if part.strip()]):
        field, direction = camel_case(clause[0]), clause[1:]
        if field not in _ORDERABLE or direction not in ([], ["asc"], ["desc"]):
            raise GoogleError(
                "INVALID_ARGUMENT", f"orderBy {order!r}: use one of {', '.join(_ORDERABLE)}, optionally with desc"
            )
        resources = sorted(resources, key=lambda r: str(r.get(field, "")), reverse=direction == ["desc"])
    return resources


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("after:"))
    except ValueError as error:
        raise GoogleError("INVALID_ARGUMENT", f"pageToken {token!r} was not given out by a list call") from error


def _size(text: str) -> int:
    if not re.fullmatch(r"\d{0,9}", text):
        raise GoogleError("INVALID_ARGUMENT", f"pageSize {text!r} is not a number")
    return min(int(text or 0) or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def _read_mask(text: str) -> Mask:
    return parse_mask(camel_case(text)) if text else Mask()
