"""Functions without a namespace: default, if, int, double, string, keys, len, get_type."""

from __future__ import annotations

import math
import re
from typing import Any

from .. import limits
from ..errors import value_error
from ..expressions.operators import number_text
from ..values import type_name
from .signature import ANY, BOOLEAN, MAP, Param, Pure, table

_INTEGER = re.compile(r"[-+]?[0-9]+")
_DOUBLE = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")


def _default(value: Any, default: Any) -> Any:
    return default if value is None else value


def _if(condition: bool, if_true: Any, if_false: Any) -> Any:
    # Differs: whether the service evaluates both branches is not documented; here both are, as for any function.
    return if_true if condition else if_false


def _int(value: str | float) -> int:
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise value_error(f"int: {value!r} is not a decimal integer")
        number = int(value)
    elif not math.isfinite(value):
        raise value_error(f"int: {value} has no integer part")
    else:
        number = int(value)
    if not limits.INTEGER_MINIMUM <= number <= limits.INTEGER_MAXIMUM:
        raise value_error(f"int: {value} does not fit in 64 bits")
    return number


def _double(value: str | float) -> float:
    if isinstance(value, str) and not _DOUBLE.fullmatch(value):
        raise value_error(f"double: {value!r} is not a number")
    return float(value)


def _string(value: str | float | bool) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value)


FUNCTIONS = table(
    Pure("default", (Param("value"), Param("default", ANY)), _default),
    Pure("if", (Param("condition", BOOLEAN), Param("if_true"), Param("if_false")), _if),
    Pure("int", (Param("value", (str, int, float)),), _int),
    Pure("double", (Param("value", (str, int, float)),), _double),
    Pure("string", (Param("value", (str, int, float, bool)),), _string),
    Pure("keys", (Param("map", MAP),), sorted),
    Pure("len", (Param("value", (list, dict, str)),), len),
    Pure("get_type", (Param("value"),), type_name),
)
