"""The values in a piece of text that should be one JSON object, and what was put right to read them."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from typing import Any, NamedTuple

MOST_PYTHON_CHARACTERS = 1024 * 1024  # Python's own parser takes a hundred times the memory of what it reads
MOST_DIGITS = 4000  # Python refuses to read longer integers
_BETWEEN = re.compile(r"[\s,]*")
_CONTROL = re.compile(r"[\x01-\x1f]")
# Texts are passed over, also one without an end; possessive, because trying again costs the square of the length.
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|,(?=\s*+[}\]])', re.DOTALL)


class Unreadable(Exception):
    """The text holds something that cannot be put right without guessing."""


class Value(NamedTuple):
    """One value, and the text it was read from."""

    value: Any
    text: str


class Reading(NamedTuple):
    """The values in a text, at least one, and the kinds of what was put right."""

    values: list[Value]
    changes: frozenset[str]


def read_values(text: str) -> Reading:
    """The values in a line of text. Unreadable when they are not certain."""
    for attempt in (_as_json, _with_controls, _without_trailing_commas, _as_python):
        if (reading := attempt(text)) is not None:
            return reading
    raise Unreadable


def skip_between(text: str, at: int) -> int:
    """The position of the next value: after white space and commas."""
    match = _BETWEEN.match(text, at)
    assert match is not None, "the pattern matches nothing, too"
    return match.end()


def decode_at(text: str, at: int, *, strict: bool = True) -> tuple[Any, int, bool]:
    """The JSON value that begins at a position, where it ends, and whether a repeated field was made one.

    Texts may hold control characters when it need not be `strict`. A number beyond what Python reads is infinite, so
    that the value cannot be written anew. JSONDecodeError when there is no value; its position says whether the text
    just ended too early. Unreadable where it is not certain.
    """
    reader = _Reader(strict)
    value, end = reader.decoder.raw_decode(text, at)
    return value, end, reader.repeated


def as_json(value: Any, *, ascii_only: bool = False) -> str:
    """A value as JSON on one line. Unreadable when it holds a number that was too large to read."""
    try:
        return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise Unreadable from error


class _Reader:
    """A JSON decoder that takes numbers only, no NaN, and a repeated field only with an equal value."""

    def __init__(self, strict: bool) -> None:
        self.repeated = False
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=_refuse, parse_int=_integer, strict=strict
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            if any(as_json(built[key]) != as_json(value) for key, value in pairs):
                raise Unreadable
            self.repeated = True
        return built


def _as_json(text: str, strict: bool = True) -> Reading | None:
    values: list[Value] = []
    changes: set[str] = set()
    at = skip_between(text, 0)
    if "," in text[:at]:
        changes.add("trailing_comma")
    while at < len(text):
        try:
            value, end, repeated = decode_at(text, at, strict=strict)
        except (json.JSONDecodeError, RecursionError):
            return None
        values.append(Value(value, text[at:end]))
        if repeated:
            changes.add("duplicate_key")
        at = skip_between(text, end)
        if at == len(text) and "," in text[end:]:
            changes.add("trailing_comma")
    if len(values) > 1:
        changes.add("two_values")
    return Reading(values, frozenset(changes)) if values else None


def _with_controls(text: str) -> Reading | None:
    """The values of a text in which characters such as tabs, which JSON wants as escapes, stand as they are."""
    reading = _as_json(text, strict=False) if _CONTROL.search(text) else None
    return None if reading is None else reading._replace(changes=reading.changes | {"control"})


def _without_trailing_commas(text: str) -> Reading | None:
    """The values of a text in which a comma stands before a closing bracket."""
    shorter = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
    reading = _as_json(shorter) or _with_controls(shorter) if shorter != text else None
    return None if reading is None else reading._replace(changes=reading.changes | {"trailing_comma"})


def _as_python(text: str) -> Reading | None:
    """The dictionary that Python would read: single quotes, None, True and False."""
    literal = text.strip().rstrip(",")
    if not literal.startswith("{") or len(literal) > MOST_PYTHON_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(literal, mode="eval")
        value = _plain(tree.body)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return None
    return Reading([Value(value, text)], frozenset({"python"}))


def _plain(node: ast.expr) -> Any:
    """The JSON value of a Python literal; ValueError for anything else."""
    match node:
        case ast.Dict(keys=keys, values=values):
            names = [_plain(key) if key is not None else None for key in keys]
            if len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
                raise ValueError
            return dict(zip(names, map(_plain, values), strict=True))
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [_plain(element) for element in elements]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Constant(value=None | bool() | int() | str() as value):
            return value
        case ast.Constant(value=float() as number) if math.isfinite(number):
            return number
    raise ValueError


def _refuse(name: str) -> Any:
    raise Unreadable


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else math.inf
