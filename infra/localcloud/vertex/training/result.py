"""What a finished job made: the content of ``result.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TuningResult:
    """`adapter` is a folder inside the job's: a PEFT adapter, or a whole model when all weights were tuned."""

    adapter: str
    steps: int
    train_rows: int
    train_tokens: int
    truncated_rows: int
    final_metrics: Mapping[str, float]
    device: str
