"""Tuning that really happens: one loop, and one file for each method, listed here.

A trainer takes a `TuningJob` and a reporter and returns what it made. Giving the local cloud another method is one
file with its loss and batch shape, and one line in `TRAINERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .job import JobError, TuningJob
from .progress import Reporter
from .result import TuningResult
from .supervised import tune as _supervised

TRAINERS: Mapping[str, Callable[[TuningJob, Reporter], TuningResult]] = {
    "supervised": _supervised,
}

__all__ = ["TRAINERS", "JobError", "Reporter", "TuningJob", "TuningResult"]
