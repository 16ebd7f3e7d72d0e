"""Reading a worker's progress.jsonl while it grows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

PROGRESS_FILE = "progress.jsonl"
_TAIL_BYTES = 64 * 1024


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One report. In the phase ``fetching_base_model`` `step` counts bytes, afterwards training steps."""

    phase: str
    step: int = 0
    steps: int = 0
    rows_per_second: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    metrics: dict[str, float] = {}


def read_lines(folder: Path, tail_bytes: int | None = None) -> list[Line]:
    """The reports so far, or those in the last `tail_bytes`; a line cut off by a crash, or by the tail, is left out."""
    path = folder / PROGRESS_FILE
    if not path.exists():
        return []
    with path.open("rb") as file:
        if tail_bytes is not None:
            file.seek(max(0, path.stat().st_size - tail_bytes))
        content = file.read()
    lines = []
    for raw in content.splitlines():
        try:
            lines.append(msgspec.json.decode(raw, type=Line))
        except msgspec.MsgspecError:
            continue
    return lines


def latest(folder: Path, count: int) -> list[Line]:
    """The last `count` reports, oldest first."""
    return read_lines(folder, _TAIL_BYTES)[-count:]


def completed_steps(folder: Path) -> int:
    """Training steps done so far."""
    return next((line.step for line in reversed(latest(folder, 50)) if line.phase not in _BEFORE_TRAINING), 0)


def metric_rows(folder: Path) -> list[Mapping[str, Any]]:
    """``{"step": n, "/train_total_loss": ...}`` per step, in order; a step repeated after a crash counts once."""
    rows: dict[int, dict[str, Any]] = {}
    for line in read_lines(folder):
        if line.metrics and line.phase not in _BEFORE_TRAINING:
            rows.setdefault(line.step, {"step": line.step}).update(line.metrics)
    return [rows[step] for step in sorted(rows)]


_BEFORE_TRAINING = frozenset({"fetching_base_model", "loading"})
