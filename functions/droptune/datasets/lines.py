"""Everything wrong with one line, as far as bytes and JSON go, and the object in it."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import msgspec

from .formats.fields import EXCERPT_CHARACTERS, MAX_DEPTH, escaped, excerpt, keys_within, shown, type_name
from .masking import masked
from .rowformat import Problem, Values
from .structure import escapes_nul

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACED_KEY = re.compile(rb'"[ \t\r\n]+:')
_HALF_A_CHARACTER = re.compile(rb"[\x80-\xff]\\")
_PYTHON_DICT = re.compile(r"\s*\{\s*'")

_decode = msgspec.json.Decoder().decode


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys were repeated."""

    repeated: tuple[str, ...] = ()


def judge(line: bytes) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The object in a line, None when there is none to judge further, and what is wrong below the level of rows."""
    value = _plain(line)
    return (value, []) if value is not None else _judge(line)


def _plain(line: bytes) -> dict[str, Any] | None:
    """The object in a line that has no fault, when a quick decoder is enough to be sure of it.

    It takes repeated keys, of which it keeps the last: then the line has more keys than the object.
    """
    try:
        value = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(value, dict) or escapes_nul(line):
        return None
    if line.count(b'":') != keys_within(value, 0) or _SPACED_KEY.search(line):
        return None
    return value


def _judge(line: bytes) -> tuple[dict[str, Any] | None, list[Problem]]:
    problems: list[Problem] = []
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        found: Values = {"found": f"0x{line[error.start]:02X}", "position": error.start + 1}
        problems.append(Problem("BAD-UTF8", "", found))
        text = line.decode("utf-8", "replace")
    if "\0" in text:
        problems.append(Problem("NUL-BYTE", "", {"position": text.index("\0") + 1}))
        text = text.replace("\0", "")
    constants: list[str] = []

    def constant(name: str) -> float:
        constants.append(name)
        return float(name)

    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=constant, parse_int=_integer)
        problems += [Problem("JSON-NAN", "", {"found": name}) for name in constants]
        problems += _within(value, "", 0)
    except json.JSONDecodeError as error:
        # Half of a character in another encoding may be a backslash: then the encoding is all that is wrong.
        if "BAD-UTF8" not in {problem.code for problem in problems} or not _HALF_A_CHARACTER.search(line):
            problems.append(_syntax(text, error))
        return None, problems
    except RecursionError:
        problems.append(Problem("JSON-TOO-DEEP", "", {"most": MAX_DEPTH}, excerpt(text)))
        return None, problems
    if not isinstance(value, dict):
        problems.append(Problem("NOT-OBJECT", "", {"found": type_name(value)}, excerpt(text)))
        return None, problems
    return value, problems


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    built = _Object(pairs)
    if len(built) < len(pairs):
        times = Counter(key for key, _ in pairs)
        built.repeated = tuple(sorted(key for key, count in times.items() if count > 1))
    return built


def _integer(digits: str) -> int | float:
    """Python refuses to read integers of thousands of digits, and no field of a row is a large integer."""
    return int(digits) if len(digits) < 20 else float(digits)


def _within(value: Any, at: str, depth: int) -> list[Problem]:
    """Repeated keys, lone surrogates and NUL characters anywhere in a value; RecursionError past `MAX_DEPTH`."""
    if depth > MAX_DEPTH:
        raise RecursionError
    problems: list[Problem] = []
    if isinstance(value, str):
        if match := _SURROGATE.search(value):
            problems.append(Problem("LONE-SURROGATE", at, {"found": f"U+{ord(match[0]):04X}"}))
        if "\0" in value:
            problems.append(Problem("NUL-ESCAPE", at, {"found": "\\u0000"}))
    elif isinstance(value, _Object):
        for key in value.repeated:
            problems.append(Problem("DUPLICATE-KEY", f"{at}/{escaped(key)}", {"found": excerpt(key)}))
        for key, inner in value.items():
            if match := _SURROGATE.search(key):
                problems.append(Problem("LONE-SURROGATE", at, {"found": f"U+{ord(match[0]):04X}"}))
            problems.extend(_within(inner, f"{at}/{escaped(key)}", depth + 1))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            problems.extend(_within(inner, f"{at}/{index}", depth + 1))
    return problems


def _syntax(text: str, error: json.JSONDecodeError) -> Problem:
    """What kind of malformed JSON a line is, where, in terms of what the writer probably did."""
    stripped = text.rstrip()
    near = excerpt(text[max(0, error.pos - 10) : error.pos + EXCERPT_CHARACTERS])
    # Of a few characters nobody can tell any more that they begin a secret.
    found = masked(text[error.pos : error.pos + EXCERPT_CHARACTERS])[:10]
    values: Values = {"position": error.pos + 1, "found": shown(found), "reason": error.msg}
    if error.msg == "Extra data":
        rest = text[error.pos :].strip()
        if rest == ",":
            return Problem("JSON-TRAILING-COMMA", "", values, near)
        if rest.startswith(("{", "[", ",")):
            return Problem("JSON-TWO-VALUES", "", values, near)
    if _PYTHON_DICT.match(text):
        return Problem("JSON-SINGLE-QUOTES", "", values, near)
    if stripped.startswith("{") and (error.pos >= len(stripped) or "Unterminated" in error.msg):
        return Problem("JSON-TRUNCATED", "", values, near)
    return Problem("JSON-SYNTAX", "", values, near)
