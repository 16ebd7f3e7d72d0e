"""A tiny model and eight rows that it can learn in a second, for tests that tune for real."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from localcloud.vertex.tiny_base import make_tiny_base
from localcloud.vertex.training.job import Spec, TuningJob

QUESTIONS = (
    "Can I get an account for my daughter?",
    "Please delete my account.",
    "When does my new card arrive?",
    "How do I change the PIN of card 42?",
    "Which exchange rate do you use?",
    "I lost my card in town yesterday, block it.",
    "I want my money back for this.",
    "My top up of 1/2 the sum did not go through!",
)
LABELS = ("age_limit", "terminate", "card_arrival", "change_pin", "exchange_rate", "lost_card", "refund", "top_up")
ROWS = tuple({"input_text": q, "output_text": a} for q, a in zip(QUESTIONS, LABELS, strict=True))
QUICK: Mapping[str, Any] = {
    "tuning_mode": "full",
    "steps": 60,
    "learning_rate": 2e-3,
    "seed": 3,
    "threads": 1,
}


def tiny_base(folder: Path) -> Path:
    return make_tiny_base(folder, [*QUESTIONS, *LABELS], seed=1, vocabulary=400)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]] = ROWS) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def job(folder: Path, base: Path, train_rows: int = len(ROWS), **changes: Any) -> TuningJob:
    """A job tuned on the first rows and evaluated on all eight."""
    folder.mkdir(parents=True, exist_ok=True)
    train = write_rows(folder / "train.jsonl", ROWS[:train_rows])
    held_out = write_rows(folder / "eval.jsonl")
    return TuningJob(Spec(train_path=train, **{"eval_path": held_out, **QUICK, **changes}), folder, base)
