"""How far a job is, as lines of ``progress.jsonl``."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Phase = Literal["loading", "fetching_base_model", "training", "evaluating", "saving"]


@dataclass(frozen=True)
class Progress:
    """One line. While the base model is fetched, `step` of `steps` are bytes; afterwards they are training steps."""

    phase: Phase
    step: int = 0
    steps: int = 0
    rows_per_second: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


class Reporter(Protocol):
    """Whoever wants to know how far a job is."""

    def __call__(self, progress: Progress) -> None: ...


class ProgressFile:
    """A reporter that appends JSON lines.

    A restarted job repeats the steps since its checkpoint: of several lines for one step the last counts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists() and not path.read_bytes().endswith(b"\n"):  # torn by a kill in the middle of a line
            self._append("\n")

    def __call__(self, progress: Progress) -> None:
        line: dict[str, object] = {"phase": progress.phase, "step": progress.step, "steps": progress.steps}
        for name in ("rows_per_second", "tokens_per_second", "seconds_left"):
            value: float | None = getattr(progress, name)
            if value is not None:
                line[name] = round(value, 3)
        line["metrics"] = {name: round(value, 6) for name, value in progress.metrics.items()}
        self._append(json.dumps(line) + "\n")

    def _append(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text)


class Speed:
    """Rates over the last few steps, since the first ones are slower."""

    def __init__(self, window: int = 10) -> None:
        self._steps: deque[tuple[float, int, int]] = deque(maxlen=window)

    def add(self, seconds: float, rows: int, tokens: int) -> None:
        self._steps.append((seconds, rows, tokens))

    def rates(self) -> tuple[float, float, float]:
        """(rows, tokens, steps) a second."""
        seconds = max(1e-9, sum(step[0] for step in self._steps))
        return (
            sum(s[1] for s in self._steps) / seconds,
            sum(s[2] for s in self._steps) / seconds,
            len(self._steps) / seconds,
        )
