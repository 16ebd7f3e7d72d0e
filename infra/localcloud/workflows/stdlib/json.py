"""json.*: values to JSON text and back."""

from __future__ import annotations

from typing import Any

from ..errors import type_error, value_error
from ..values import from_json, to_json, type_name
from .signature import Param, Pure, table

_INDENT = Param("indent", (bool, dict), False)


def _encode_to_string(data: Any, indent: bool | dict[str, Any]) -> str:
    if indent is False:
        return to_json(data)
    options = {"prefix": "", "indent": "    ", **(indent if isinstance(indent, dict) else {})}
    for name, value in options.items():
        if name not in ("prefix", "indent"):
            raise value_error(f"json.encode: indent has prefix and indent, found {name!r}")
        if not isinstance(value, str):
            raise type_error(f"json.encode: indent.{name} must be a string, not {type_name(value)}")
    return to_json(data, indent=options["indent"], prefix=options["prefix"])


def _encode(data: Any, indent: bool | dict[str, Any]) -> bytes:
    return _encode_to_string(data, indent).encode()


def _decode(data: str | bytes) -> Any:
    try:
        return from_json(data)
    except ValueError as error:
        raise value_error(f"json.decode: {error}") from error


FUNCTIONS = table(
    Pure("json.decode", (Param("data", (str, bytes)),), _decode),
    Pure("json.encode", (Param("data"), _INDENT), _encode),
    Pure("json.encode_to_string", (Param("data"), _INDENT), _encode_to_string),
)
