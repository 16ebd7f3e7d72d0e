"""map.*: safe reads, and new maps from old ones."""

from __future__ import annotations

from typing import Any

from ..errors import type_error
from ..values import type_name
from .signature import MAP, STRING, Param, Pure, table


def _get(source: Any, keys: Any) -> Any:
    path = keys if isinstance(keys, list) else [keys]
    for key in path:
        if type(key) is not str:
            raise type_error(f"map.get: keys must be a string or a list of strings, found {type_name(key)}")
    for key in path:
        if not isinstance(source, dict) or key not in source:
            return None
        source = source[key]
    return source


def _delete(source: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in source.items() if name != key}


def _merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {**first, **second}


def _merge_nested(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    merged = dict(first)
    for key, value in second.items():
        old = merged.get(key)
        merged[key] = _merge_nested(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


FUNCTIONS = table(
    Pure("map.get", (Param("map"), Param("keys")), _get),
    Pure("map.delete", (Param("map", MAP), Param("key", STRING)), _delete),
    Pure("map.merge", (Param("first", MAP), Param("second", MAP)), _merge),
    Pure("map.merge_nested", (Param("first", MAP), Param("second", MAP)), _merge_nested),
)
