"""The values of a workflow: null, booleans, 64-bit integers, doubles, strings, bytes, lists and maps.

They are plain Python objects; this module has what differs from Python: type names, copies, equality, sizes and
the JSON forms.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from . import limits
from .errors import resource_limit_error, type_error, value_error

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


def type_name(value: Any) -> str:
    """The name that `get_type` gives."""
    return _TYPE_NAMES[type(value)]


def copy_value(value: Any) -> Any:
    """A deep copy: Workflows assigns and passes values, never references."""
    if type(value) is dict:
        return {key: copy_value(item) for key, item in value.items()}
    if type(value) is list:
        return [copy_value(item) for item in value]
    return value


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

    TypeError for bytes, which JSON cannot hold; ValueError for doubles that are not finite.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        text = json.dumps(
            value,
            ensure_ascii=False,
            allow_nan=False,
            sort_keys=True,
            indent=indent,
            separators=separators,
            default=_refuse,
        )
        text.encode()
    except ValueError as error:
        raise value_error(f"cannot be written as JSON: {error}") from error
    return text.replace("\n", "\n" + prefix) if prefix else text


def from_json(text: str | bytes) -> Any:
    """The value of a JSON text. ValueError, as a host error, for anything else."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def to_journal(value: Any) -> str:
    """JSON text that `from_journal` reads back as the same value, bytes and infinities included."""
    return json.dumps(_escape(value), ensure_ascii=True, separators=(",", ":"))


def from_journal(text: str) -> Any:
    """The value that `to_journal` wrote."""
    return _unescape(json.loads(text))


def _refuse(value: Any) -> Any:
    raise type_error(
        f"a value of type {type_name(value)} cannot be written as JSON; encode it first, e.g. with base64.encode"
    )


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


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
