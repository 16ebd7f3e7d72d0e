"""The values of a workflow: null, booleans, 64-bit integers, doubles, strings, bytes, lists and maps.

They are plain Python objects; this module has what differs from Python: type names, copies, equality, sizes and
the JSON forms.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable
from typing import Any

from . import limits
from .errors import resource_limit_error, tagged, value_error

_TYPE_NAMES = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
}
_SCALAR_BYTES = 8
# A map with this one key is how the journal writes bytes; a real map with it is escaped by doubling.
_BYTES_KEY = "\0bytes"
_SURROGATE = re.compile("[\ud800-\udfff]")
# How JSON writes one half of a character beyond U+FFFF.
ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# The most characters of a 64-bit integer, its sign included.
_INTEGER_CHARACTERS = 20


def type_name(value: Any) -> str:
    """The name that `get_type` gives."""
    return _TYPE_NAMES[type(value)]


def copy_value(value: Any, depth: int = limits.VALUE_DEPTH) -> Any:
    """A deep copy: Workflows assigns and passes values, never references. ResourceLimitError beyond `depth` levels."""
    kind = type(value)
    if kind is not dict and kind is not list:
        return value
    if depth == 0:
        raise resource_limit_error(f"a value nested more than {limits.VALUE_DEPTH} levels deep")
    if kind is dict:
        return {key: copy_value(item, depth - 1) for key, item in value.items()}
    return [copy_value(item, depth - 1) for item in value]


def whole_text(text: str) -> str:
    """The text with escaped surrogate pairs joined, and U+FFFD for single halves, which no encoding can hold."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_number(value: Any) -> bool:
    """Whether the value is an integer or a double; booleans are neither."""
    return type(value) is int or type(value) is float


def equal(left: Any, right: Any) -> bool:
    """Deep equality; values of different types differ, except that integers and doubles compare by value."""
    if is_number(left) and is_number(right):
        return bool(left == right)
    if type(left) is not type(right):
        return False
    if type(left) is list:
        return len(left) == len(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    if type(left) is dict:
        return left.keys() == right.keys() and all(equal(item, right[key]) for key, item in left.items())
    return bool(left == right)


def size_bytes(value: Any) -> int:
    """What a value counts against the memory limit. ResourceLimitError for a string that is too long."""
    kind = type(value)
    if kind is int:
        return _SCALAR_BYTES
    if kind is str:
        size = len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
        if size > limits.STRING_BYTES:
            raise resource_limit_error(f"a string of {size} bytes; at most {limits.STRING_BYTES} are allowed")
        return _SCALAR_BYTES + size
    if kind is bytes:
        return _SCALAR_BYTES + len(value)
    if kind is list:
        return _SCALAR_BYTES + sum(map(size_bytes, value))
    if kind is dict:
        return _SCALAR_BYTES + sum(len(key) + size_bytes(item) for key, item in value.items())
    return _SCALAR_BYTES


def to_json(value: Any, *, indent: str | None = None, prefix: str = "") -> str:
    """JSON text with sorted keys, compact unless `indent` is given.

    ValueError for bytes and for doubles that are not finite, which JSON cannot hold; ResourceLimitError when
    indenting makes it larger than any variable may be.
    """
    encoder = json.JSONEncoder(
        ensure_ascii=False,
        allow_nan=False,
        sort_keys=True,
        indent=indent,
        separators=(",", ":") if indent is None else (",", ": "),
        default=_refuse,
    )
    try:
        text = encoder.encode(value) if indent is None else _joined(encoder.iterencode(value), prefix)
        text.encode()
    except ValueError as error:
        raise value_error(f"cannot be written as JSON: {error}") from error
    return text


def from_json(text: str | bytes) -> Any:
    """The value of a JSON text; integers beyond 64 bits become doubles. ValueError, as a host error, for other text."""
    text = whole_text(text) if isinstance(text, str) else text.decode(json.detect_encoding(text))
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_double, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if text.count("[") + text.count("{") > limits.VALUE_DEPTH and _is_deeper(value, limits.VALUE_DEPTH):
        raise ValueError(f"nested more than {limits.VALUE_DEPTH} levels deep")
    return _whole(value) if ESCAPED_SURROGATE.search(text) else value


def without_bytes(value: Any) -> Any:
    """A copy with base64 text in place of bytes, for showing what JSON cannot hold."""
    if type(value) is bytes:
        return base64.b64encode(value).decode()
    if type(value) is list:
        return [without_bytes(item) for item in value]
    if type(value) is dict:
        return {key: without_bytes(item) for key, item in value.items()}
    return value


def to_journal(value: Any) -> str:
    """JSON text that `from_journal` reads back as the same value, bytes and infinities included."""
    return json.dumps(_escape(value), ensure_ascii=True, separators=(",", ":"))


def from_journal(text: str) -> Any:
    """The value that `to_journal` wrote."""
    return _unescape(json.loads(text))


def _joined(parts: Iterable[str], prefix: str) -> str:
    found = []
    size = 0
    for part in parts:
        found.append(part.replace("\n", "\n" + prefix))
        size += len(found[-1])
        if size > limits.MEMORY_BYTES:
            raise resource_limit_error(f"indented JSON of more than {limits.MEMORY_BYTES} bytes")
    return "".join(found)


def _refuse(value: Any) -> Any:
    # The page of json.encode says ValueError where the rules for types say TypeError, so it is both.
    raise tagged(
        "ValueError",
        f"a value of type {type_name(value)} cannot be written as JSON; encode it first, e.g. with base64.encode",
        tags=["ValueError", "TypeError"],
    )


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    if len(digits) > _INTEGER_CHARACTERS:
        return _double(digits)
    number = int(digits)
    return number if limits.INTEGER_MINIMUM <= number <= limits.INTEGER_MAXIMUM else float(number)


def _double(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} does not fit in a double")
    return number


def _is_deeper(value: Any, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        containers = (item.values() if type(item) is dict else item for item in level if type(item) in (list, dict))
        level = [child for children in containers for child in children]
    return any(type(item) in (list, dict) for item in level)


def _whole(value: Any) -> Any:
    if type(value) is str:
        return whole_text(value)
    if type(value) is list:
        return [_whole(item) for item in value]
    if type(value) is dict:
        return {whole_text(key): _whole(item) for key, item in value.items()}
    return value


def _escape(value: Any) -> Any:
    if type(value) is bytes:
        return {_BYTES_KEY: base64.b64encode(value).decode()}
    if type(value) is list:
        return [_escape(item) for item in value]
    if type(value) is dict:
        escaped = {key: _escape(item) for key, item in value.items()}
        return {_BYTES_KEY: [escaped]} if _BYTES_KEY in escaped else escaped
    return value


def _unescape(value: Any) -> Any:
    if type(value) is list:
        return [_unescape(item) for item in value]
    if type(value) is not dict:
        return value
    marked = value.get(_BYTES_KEY)
    if isinstance(marked, str):
        return base64.b64decode(marked)
    if isinstance(marked, list):
        return {key: _unescape(item) for key, item in marked[0].items()}
    return {key: _unescape(item) for key, item in value.items()}
