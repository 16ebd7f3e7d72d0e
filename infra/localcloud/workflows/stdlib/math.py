"""math.*: abs, floor, max, min."""

from __future__ import annotations

import math

from ..errors import value_error
from .signature import NUMBER, Param, Pure, table


def _floor(x: float) -> int:
    if not math.isfinite(x):
        raise value_error(f"math.floor: {x} has no floor")
    return math.floor(x)


FUNCTIONS = table(
    Pure("math.abs", (Param("x", NUMBER),), abs),
    Pure("math.floor", (Param("x", NUMBER),), _floor),
    Pure("math.max", (Param("x", NUMBER), Param("y", NUMBER)), max),
    Pure("math.min", (Param("x", NUMBER), Param("y", NUMBER)), min),
)
