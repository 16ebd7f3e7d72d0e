"""What was counted over all rows of a file, whatever part of them is looked at more closely."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Preferences:
    """How the better candidates compare with the worse ones over all pairs of a file, by their characters."""

    pairs: int
    longer_better: int
    shorter_better: int
    equal_length: int
    first_better: int
    better_mean: float
    worse_mean: float


@dataclass(frozen=True)
class Totals:
    """`answers` is None where they are too many or too long to be labels, `preferences` where rows are no pairs."""

    answers: Counter[str] | None = None
    preferences: Preferences | None = None
