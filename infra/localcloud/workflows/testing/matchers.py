"""Comparing an expected value with what was found, difference by difference."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..values import equal, from_json, type_name


@dataclass(frozen=True)
class Difference:
    """Where two values differ. `found` is None with `missing` set when there is nothing at all."""

    path: str
    expected: str
    found: str


def short(value: Any, limit: int = 160) -> str:
    """A value on one line, as JSON where possible, cut in the middle when it is long."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def differences(expected: Any, found: Any, path: str) -> Iterator[Difference]:
    """Every place in which `found` is not as expected; none when it fits."""
    matcher = matcher_of(expected)
    if matcher is not None:
        yield from matcher(next(iter(expected.values())), found, path)
    elif isinstance(expected, dict) and isinstance(found, dict):
        yield from _entries(expected, found, path)
        for key in found.keys() - expected.keys():
            yield Difference(f"{path}.{key}", "nothing", short(found[key]))
    elif isinstance(expected, list) and isinstance(found, list):
        for index in range(max(len(expected), len(found))):
            place = f"{path}[{index}]"
            if index >= len(found):
                yield Difference(place, short(expected[index]), "nothing")
            elif index >= len(expected):
                yield Difference(place, "nothing", short(found[index]))
            else:
                yield from differences(expected[index], found[index], place)
    elif not equal(expected, found):
        yield Difference(path, short(expected), short(found))


def fits(expected: Any, found: Any) -> bool:
    """Whether there is no difference."""
    return next(differences(expected, found, ""), None) is None


def matcher_of(expected: Any) -> Callable[[Any, Any, str], Iterator[Difference]] | None:
    """The matcher that a map with one `$` key asks for."""
    if isinstance(expected, dict) and len(expected) == 1:
        return MATCHERS.get(next(iter(expected)))
    return None


def _entries(expected: Mapping[str, Any], found: Mapping[str, Any], path: str) -> Iterator[Difference]:
    for key, value in expected.items():
        if key in found:
            yield from differences(value, found[key], f"{path}.{key}")
        else:
            yield Difference(f"{path}.{key}", short(value), "nothing")


# What `$any` takes: the names that get_type gives, and `value` for all of them.
ANY_OF = ("null", "boolean", "integer", "double", "string", "bytes", "list", "map", "value")


def _any(kind: Any, found: Any, path: str) -> Iterator[Difference]:
    if kind not in ("value", type_name(found)):
        yield Difference(path, f"any {kind}", short(found))


def _has(part: Any, found: Any, path: str) -> Iterator[Difference]:
    match part, found:
        case dict(), dict():
            for key, value in part.items():
                if key not in found:
                    yield Difference(f"{path}.{key}", short(value), "nothing")
                else:
                    inner = {"$has": value} if isinstance(value, dict) and matcher_of(value) is None else value
                    yield from differences(inner, found[key], f"{path}.{key}")
        case list(), list():
            for item in part:
                if not any(fits(item, candidate) for candidate in found):
                    yield Difference(path, f"a list with {short(item)}", short(found))
        case str(), str() if part in found:
            return
        case _:
            yield Difference(path, f"something with {short(part)}", short(found))


def _regex(pattern: Any, found: Any, path: str) -> Iterator[Difference]:
    if not isinstance(found, str) or re.fullmatch(pattern, found, re.DOTALL) is None:
        yield Difference(path, f"a string that fits {pattern}", short(found))


def _json(value: Any, found: Any, path: str) -> Iterator[Difference]:
    try:
        decoded = from_json(found)
    except (TypeError, ValueError):
        yield Difference(path, "JSON text", short(found))
        return
    yield from differences(value, decoded, f"{path}$json")


def _base64(value: Any, found: Any, path: str) -> Iterator[Difference]:
    try:
        content = base64.b64decode(found, validate=True).decode()
    except (TypeError, ValueError):
        yield Difference(path, "base64 text", short(found))
        return
    try:
        decoded = from_json(content)
    except ValueError:
        decoded = content
    yield from differences(value, content if isinstance(value, str) else decoded, f"{path}$base64")


MATCHERS: Mapping[str, Callable[[Any, Any, str], Iterator[Difference]]] = {
    "$any": _any,
    "$has": _has,
    "$regex": _regex,
    "$json": _json,
    "$base64": _base64,
}
