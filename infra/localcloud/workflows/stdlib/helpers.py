"""Functions without a namespace: default, if, int, double, string, keys, len, get_type."""

from __future__ import annotations

import re
from typing import Any

from ..errors import value_error
from ..expressions.operators import fitting, number_text
from ..values import type_name
from .signature import ANY, MAP, Param, Pure, table

_INTEGER = re.compile(r"([-+]?)0*([0-9]+)")
_DIGITS = 19  # the most that 64 bits can have
_DOUBLE = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


def _default(value: Any, default: Any) -> Any:
    return default if value is None else value


def _if(condition: bool | None, if_true: Any, if_false: Any) -> Any:
    # Differs: whether the service evaluates both branches is not documented; here both are, as for any function.
    return if_true if condition else if_false


def _int(value: str | float) -> int:
    if not isinstance(value, str):
        return fitting(int(value))
    match = _INTEGER.fullmatch(value)
    if match is None:
        raise value_error(f"int: {value!r} is not a decimal integer")
    sign, digits = match.groups()
    if len(digits) > _DIGITS:
        raise value_error(f"int: a number of {len(digits)} digits does not fit in 64 bits")
    return fitting(int(sign + digits))


def _double(value: str | float) -> float:
    if isinstance(value, str) and not _DOUBLE.fullmatch(value):
        raise value_error(f"double: {value!r} is not a number")
    return fitting(float(value))


def _string(value: str | float | bool) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value)


FUNCTIONS = table(
    Pure("default", (Param("val"), Param("defaultVal", ANY)), _default),
    Pure("if", (Param("condition", (bool, type(None))), Param("ifTrue"), Param("ifFalse")), _if),
    Pure("int", (Param("value", (str, int, float)),), _int),
    Pure("double", (Param("value", (str, int, float)),), _double),
    Pure("string", (Param("value", (str, int, float, bool)),), _string),
    Pure("keys", (Param("map", MAP),), sorted),
    Pure("len", (Param("value", (list, dict, str)),), len),
    Pure("get_type", (Param("value"),), type_name),
)
