"""Repairs of single fields: a text that was given as a number, a number that was given as a text."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
# Puts a row right in place, and names the kinds of what it changed.
Repair = Callable[[Row], set[str]]

_BITS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "true": 1, "false": 0}


def as_text(value: Any) -> str | None:
    """The text of a number or truth value, as JSON writes it; None for anything else, and what is no finite number."""
    if not isinstance(value, bool | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return json.dumps(value)


def as_bit(value: Any) -> int | None:
    """0 or 1 where a value says it in another type; None where it does not, or is right already."""
    if type(value) is int:
        return None
    if isinstance(value, str):
        return _BITS.get(value.strip().lower())
    return int(value) if isinstance(value, bool | float) and value in (0, 1) else None


def texts(*fields: str) -> Repair:
    """The repair of fields that must be texts."""

    def repair(row: Row) -> set[str]:
        changes = set()
        for field in fields:
            if (text := as_text(row.get(field))) is not None:
                row[field] = text
                changes.add("text")
        return changes

    return repair


def bit(field: str) -> Repair:
    """The repair of a field that must be the number 0 or 1."""

    def repair(row: Row) -> set[str]:
        number = as_bit(row.get(field))
        if number is None:
            return set()
        row[field] = number
        return {"number"}

    return repair


def optional(*fields: str) -> Repair:
    """The repair of fields that are left out when they say nothing: null, an empty text, list or object."""

    def repair(row: Row) -> set[str]:
        empty = [field for field in fields if field in row and says_nothing(row[field])]
        for field in empty:
            del row[field]
        return {"empty_optional"} if empty else set()

    return repair


def says_nothing(value: Any) -> bool:
    """Whether a value is null, empty or a blank text."""
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def within(field: str, *repairs: Repair) -> Repair:
    """Repairs of the object in a field."""

    def repair(row: Row) -> set[str]:
        inner = row.get(field)
        return set().union(*(one(inner) for one in repairs)) if isinstance(inner, dict) else set()

    return repair


def without_nul(value: Any) -> Any:
    """The value with NUL characters taken out of every text in it."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [without_nul(inner) for inner in value]
    if isinstance(value, dict):
        return {key.replace("\0", ""): without_nul(inner) for key, inner in value.items()}
    return value
