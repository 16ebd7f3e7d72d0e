"""`filter` and `orderBy` of listings over the fields that a listing documents (AIP-160, AIP-132)."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from ...http import GoogleError
from .filter_syntax import All, Comparison, Not, Some, parse_filter

Resource = Mapping[str, Any]
Matcher = Callable[[Resource], bool]
_Item = TypeVar("_Item")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    ":": operator.eq,
}
_ORDERING = frozenset({"<", "<=", ">", ">="})
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)s")


@dataclass(frozen=True)
class Field:
    """A field that can be filtered by. `read` gives its value in a resource, None when it has none.

    `parse` makes a value of the same type from the filter's text, and raises the host's ValueError for any other;
    `example` shows what it takes.
    """

    read: Callable[[Resource], Any]
    parse: Callable[[str], Any]
    example: str
    ordered: bool = True


Fields = Mapping[str, Field]


def _member(path: str) -> Callable[[Resource], Any]:
    names = path.split(".")

    def read(resource: Resource) -> Any:
        value: Any = resource
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    return read


def text(path: str) -> Field:
    """A string."""
    return Field(_member(path), str, '"text", with * at an end for anything')


def last_part(path: str) -> Field:
    """The last part of a resource name."""
    read = _member(path)
    return Field(lambda resource: str(read(resource)).rpartition("/")[2], str, '"text"')


def enum(path: str, names: Iterable[str], prefix: str = "") -> Field:
    """An enum value out of `names`, which may be written without its prefix."""
    known = tuple(names)

    def parse(name: str) -> str:
        full = name if name.startswith(prefix) else prefix + name
        if full not in known:
            raise ValueError(name)
        return full

    return Field(_member(path), parse, f"one of {', '.join(known)}")


def time(path: str) -> Field:
    """A time, or a date for its first moment."""
    read = _member(path)
    return Field(lambda resource: _optional(_seconds, read(resource)), _seconds, '"2025-01-31T12:00:00Z"')


def duration(path: str) -> Field:
    """A duration in seconds."""
    read = _member(path)
    return Field(lambda resource: _optional(_duration, read(resource)), _duration, '"12.5s"')


def number(path: str) -> Field:
    """An int64, which resources write as a string."""
    read = _member(path)
    return Field(lambda resource: _optional(int, read(resource)), int, "7")


def boolean(path: str) -> Field:
    """True or false; a field that is left out is false."""
    read = _member(path)
    return Field(lambda resource: bool(read(resource)), _boolean, "true", ordered=False)


def each(read: Callable[[Resource], Iterable[str]]) -> Field:
    """Several strings, one of which has to fit."""
    return Field(lambda resource: tuple(read(resource)), str, '"text"', ordered=False)


LABELS: Final = each(lambda resource: resource.get("labels", {}).keys())


def matcher(filter_: str, fields: Fields) -> Matcher:
    """Whether a resource fits the filter. INVALID_ARGUMENT for another syntax, field or type of value."""
    return _compiled(parse_filter(filter_), fields)


def ordered(
    items: Iterable[_Item], resource_of: Callable[[_Item], Resource], order_by: str, fields: Fields
) -> Iterable[_Item]:
    """Items by `orderBy`, e.g. `state, createTime desc`; as they come when it is empty. INVALID_ARGUMENT."""
    if not order_by.strip():
        return items
    found = list(items)
    for part in reversed(order_by.split(",")):
        name, *direction = part.split() or [""]
        if direction not in ([], ["asc"], ["desc"]):
            raise GoogleError("INVALID_ARGUMENT", f"orderBy: expected a field, then asc or desc; found {part!r}")
        field = _field(name, {key: item for key, item in fields.items() if item.ordered}, "orderBy")
        found.sort(key=lambda item: _sortable(field.read(resource_of(item))), reverse=direction == ["desc"])
    return found


def _sortable(value: Any) -> tuple[bool, Any]:
    # Items without a value come first.
    return (value is not None, 0 if value is None else value)


def _compiled(node: Any, fields: Fields) -> Matcher:
    match node:
        case Comparison():
            return _comparison(node, fields)
        case Not(of=of):
            inner = _compiled(of, fields)
            return lambda resource: not inner(resource)
        case All(of=of):
            every = [_compiled(part, fields) for part in of]
            return lambda resource: all(fits(resource) for fits in every)
        case Some(of=of):
            some = [_compiled(part, fields) for part in of]
            return lambda resource: any(fits(resource) for fits in some)
    raise AssertionError(node)


def _comparison(node: Comparison, fields: Fields) -> Matcher:
    head, _, key = node.field.partition(".")
    field = fields.get(head)
    if key and field is LABELS:
        field = Field(lambda resource: resource.get("labels", {}).get(key), str, '"text"')
    else:
        field = _field(node.field, fields, "filter")
    if node.operator in _ORDERING and not field.ordered:
        raise GoogleError("INVALID_ARGUMENT", f"filter: {node.field} has no order; compare it with =, != or :")
    read = field.read
    if node.operator == ":" and node.value == "*" and not node.quoted:
        return lambda resource: read(resource) not in (None, "", (), False)
    if field.parse is str and node.operator in ("=", "!=", ":"):
        return _text_comparison(read, node)
    try:
        wanted = field.parse(node.value)
    except ValueError:
        message = f"filter: {node.field} is compared with {field.example}; found {node.value!r}"
        raise GoogleError("INVALID_ARGUMENT", message) from None
    compare = _OPERATORS[node.operator]

    def fits(resource: Resource) -> bool:
        value = read(resource)
        return node.operator == "!=" if value is None else bool(compare(value, wanted))

    return fits


def _text_comparison(read: Callable[[Resource], Any], node: Comparison) -> Matcher:
    # = and != know * for anything; `:` asks whether the text is contained, or is one of several.
    pattern = re.compile(re.escape(node.value).replace(r"\*", ".*"), re.DOTALL)

    def fits(resource: Resource) -> bool:
        value = read(resource)
        if isinstance(value, tuple):
            found = any(pattern.fullmatch(item) for item in value)
        elif value is None:
            found = False
        else:
            found = node.value in str(value) if node.operator == ":" else pattern.fullmatch(str(value)) is not None
        return found is (node.operator != "!=")

    return fits


def _field(name: str, fields: Fields, parameter: str) -> Field:
    head, *rest = name.split("_")
    found = fields.get(head + "".join(part.capitalize() for part in rest))
    if found is None:
        raise GoogleError("INVALID_ARGUMENT", f"{parameter}: unknown field {name!r}; allowed: {', '.join(fields)}")
    return found


def _optional(parse: Callable[[str], Any], value: Any) -> Any:
    return None if value is None else parse(value)


@functools.lru_cache(maxsize=4096)
def _seconds(value: str) -> float:
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _duration(value: str) -> float:
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError(value)
    return float(match[1])


def _boolean(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError(value)
    return value.lower() == "true"
