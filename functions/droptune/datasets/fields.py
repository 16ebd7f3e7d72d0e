"""Rules that formats share: a text field, unknown fields, and how a value is named in a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .rowformat import Problem

JSON_TYPES = ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"), (dict, "object"))
EXCERPT_CHARACTERS = 80


def type_name(value: Any) -> str:
    """The JSON name of a value's type."""
    return next((name for kind, name in JSON_TYPES if isinstance(value, kind)), "null")


def shown(value: Any) -> str:
    """A value as a message names it: short scalars themselves, anything else by its type."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else "a long string"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return type_name(value)


def excerpt(value: Any) -> str:
    """The start of a value, short enough for a report; a list or object is only named."""
    text = value if isinstance(value, str) else shown(value)
    return text if len(text) <= EXCERPT_CHARACTERS else text[: EXCERPT_CHARACTERS - 1] + "…"


def escaped(key: str) -> str:
    """A key as a token of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def text_field(
    row: Mapping[str, Any], key: str, at: str, missing: str, wrong_type: str, empty: str
) -> Iterator[Problem]:
    """A required string that says something; the three codes are for its absence, its type and its emptiness."""
    pointer = f"{at}/{key}"
    if key not in row:
        yield Problem(missing, at, found=f"no `{key}`" + _instead(row))
    elif not isinstance(row[key], str):
        yield Problem(wrong_type, pointer, found=shown(row[key]), excerpt=excerpt(row[key]))
    elif not row[key] or row[key].isspace():
        yield Problem(empty, pointer, found="white space only" if row[key] else "an empty string")


def unknown_fields(row: Mapping[str, Any], known: frozenset[str], at: str, code: str) -> Iterator[Problem]:
    """Fields that the service does not read."""
    for key in row:
        if key not in known:
            yield Problem(code, f"{at}/{escaped(key)}", found=f"`{excerpt(key)}`")


def _instead(row: Mapping[str, Any]) -> str:
    keys = ", ".join(f"`{excerpt(key)}`" for key in list(row)[:5])
    return f", but {keys}" if keys else ", no fields at all"
