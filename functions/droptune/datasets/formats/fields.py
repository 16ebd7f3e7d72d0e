"""Rules that formats share: a text field, unknown fields, and how a value is named in a message."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..rowformat import Problem

JSON_TYPES = ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"), (dict, "object"))
EXCERPT_CHARACTERS = 80
MAX_DEPTH = 100  # as far as Google's JSON readers go


def type_name(value: Any) -> str:
    """The JSON name of a value's type."""
    return next((name for kind, name in JSON_TYPES if isinstance(value, kind)), "null")


def shown(value: Any) -> str:
    """A value as a message names it, in any language: short scalars as JSON writes them, anything else by its type."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else "string"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        digits = json.dumps(value)
        return digits if len(digits) <= 40 else digits[:39] + "…"
    return type_name(value)


def excerpt(value: Any) -> str:
    """The start of a value, short enough for a report; a list or object is only named."""
    text = value if isinstance(value, str) else shown(value)
    return text if len(text) <= EXCERPT_CHARACTERS else text[: EXCERPT_CHARACTERS - 1] + "…"


def keys_within(value: Any, depth: int) -> int:
    """The keys of all objects in a value that stands so deep; fewer than there are where it is nested too deeply."""
    if depth > MAX_DEPTH:
        return -1
    if isinstance(value, dict):
        return len(value) + sum(
            [keys_within(inner, depth + 1) for inner in value.values() if not isinstance(inner, str)]
        )
    return sum([keys_within(inner, depth + 1) for inner in value]) if isinstance(value, list) else 0


def escaped(key: str) -> str:
    """A key as a token of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def fields_of(row: Mapping[str, Any]) -> str:
    """The first fields of an object, for a message about one that is missing."""
    return ", ".join(excerpt(key) for key in list(row)[:5]) or "-"


def blank(value: str) -> bool:
    """Whether a text says nothing."""
    return not value or value.isspace()


def text_field(
    row: Mapping[str, Any], key: str, at: str, missing: str, wrong_type: str, empty: str
) -> Iterator[Problem]:
    """A required string that says something; the three codes are for its absence, its type and its emptiness.

    Their messages are given `field`; the first also `found`, the fields that are there, the others what stands there.
    """
    pointer = f"{at}/{escaped(key)}"
    if key not in row:
        yield Problem(missing, at, {"field": key, "found": fields_of(row)})
    elif not isinstance(row[key], str):
        yield Problem(wrong_type, pointer, {"field": key, "found": shown(row[key])}, excerpt(row[key]))
    elif blank(row[key]):
        yield Problem(empty, pointer, {"field": key, "found": shown(row[key])})


def unknown_fields(row: Mapping[str, Any], known: frozenset[str], at: str, code: str) -> Iterator[Problem]:
    """Fields that the service does not read; the message is given `found`, the field's name."""
    for key in row:
        if key not in known:
            yield Problem(code, f"{at}/{escaped(key)}", {"found": excerpt(key)})
