"""math.*: abs, floor, max, min."""

from __future__ import annotations

import math

from ..expressions.operators import fitting
from .signature import NUMBER, Param, Pure, table


def _abs(x: float) -> float:
    return fitting(abs(x))


def _floor(x: float) -> int:
    return fitting(math.floor(x))


FUNCTIONS = table(
    Pure("math.abs", (Param("x", NUMBER),), _abs),
    Pure("math.floor", (Param("x", NUMBER),), _floor),
    Pure("math.max", (Param("x", NUMBER), Param("y", NUMBER)), max),
    Pure("math.min", (Param("x", NUMBER), Param("y", NUMBER)), min),
)
