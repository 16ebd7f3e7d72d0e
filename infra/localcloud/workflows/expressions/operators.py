"""What the operators do with two values. Nothing is truthy, and only numbers mix."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..errors import type_error, value_error, zero_division_error
from ..limits import INTEGER_MAXIMUM, INTEGER_MINIMUM
from ..values import equal, is_number, type_name

Operator = Callable[[Any, Any], Any]
_Number = TypeVar("_Number", int, float)
_NUMBERS = (int, float)  # by type itself: booleans are none


def boolean(value: Any, place: str) -> bool:
    """The value when it is a boolean, else TypeError naming `place`."""
    if type(value) is not bool:
        raise type_error(f"{place} must be a boolean, not {type_name(value)}")
    return value


def signed(sign: str, value: Any) -> Any:
    """`-value` or `+value`."""
    if not is_number(value):
        raise type_error(f"{sign} needs a number, not {type_name(value)}")
    return fitting(-value if sign == "-" else value)


def fitting(value: _Number) -> _Number:
    """The number itself. ValueError when it leaves 64 bits or is not finite."""
    # Differs: what the service does on overflow is not documented; here it is an error, never a wrong number.
    if type(value) is int:
        if not INTEGER_MINIMUM <= value <= INTEGER_MAXIMUM:
            raise value_error(f"{value} does not fit in 64 bits")
    elif not math.isfinite(value):
        raise value_error("the result does not fit in a double")
    return value


def _arithmetic(symbol: str, function: Callable[[Any, Any], Any]) -> Operator:
    def apply(left: Any, right: Any) -> Any:
        if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
            raise type_error(f"{symbol} needs two numbers, not {type_name(left)} and {type_name(right)}")
        try:
            return fitting(function(left, right))
        except ZeroDivisionError:
            raise zero_division_error() from None
        except OverflowError:
            raise value_error(f"the result of {symbol} does not fit in a double") from None

    return apply


_add_numbers = _arithmetic("+", operator.add)


def _add(left: Any, right: Any) -> Any:
    if type(left) is str or type(right) is str:
        return _text(left) + _text(right)
    return _add_numbers(left, right)


def _text(value: Any) -> str:
    # "Implicit data type conversions": numbers and booleans join a string, on either side.
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if is_number(value):
        return number_text(value)
    raise type_error(
        f"+ cannot join a string and a value of type {type_name(value)}; use string() or json.encode_to_string()"
    )


def number_text(value: float) -> str:
    """A number as `string()` writes it: doubles without a fraction lose the point."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _comparison(symbol: str, function: Callable[[Any, Any], bool]) -> Operator:
    def apply(left: Any, right: Any) -> bool:
        comparable = (is_number(left) and is_number(right)) or (
            type(left) is type(right) and type(left) in (str, bytes)
        )
        if not comparable:
            raise type_error(f"{symbol} cannot compare {type_name(left)} and {type_name(right)}")
        return function(left, right)

    return apply


def _contains(item: Any, container: Any) -> bool:
    match container:
        case list():
            return any(equal(item, other) for other in container)
        case dict():
            return type(item) is str and item in container
        case None:  # the vendor's own quickstart asks so for a key of an argument that was not given
            return False
        case _:
            raise type_error(f"in needs a list or a map on the right, not {type_name(container)}")


OPERATORS: Mapping[str, Operator] = {
    "+": _add,
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", operator.truediv),
    "//": _arithmetic("//", operator.floordiv),
    "%": _arithmetic("%", operator.mod),
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _comparison("<", operator.lt),
    "<=": _comparison("<=", operator.le),
    ">": _comparison(">", operator.gt),
    ">=": _comparison(">=", operator.ge),
    "in": _contains,
    "not in": lambda left, right: not _contains(left, right),
}
