"""The shape of evaluation.json. It holds line numbers and scores, never the text of a row."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..events import Interval
from .examples import Task
from .metrics import Tokenization
from .verdict import Verdict

FILE = "evaluation.json"

ContestantName = Literal["tuned", "base zero-shot", "base few-shot", "base label-scored"]
TUNED: ContestantName = "tuned"


class Contestant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way of answering the held-out rows. `metrics` is empty and `refused` says why where it could not be tried."""

    name: ContestantName
    target: str
    detail: str
    template: str
    metrics: dict[str, Interval] = {}
    seconds: float = 0.0
    refused: str | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Tuned minus best baseline, by the primary metric."""

    baseline: ContestantName
    test: str
    p_value: float
    difference: float


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """A row that the tuned model did not get fully right, and what the best baseline scored on it."""

    line: int
    score: float
    baseline_score: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`metric` is the primary one; `sampled` is true where `rows` are fewer than `held_out_rows`.

    `tokenization` says how ROUGE and BLEU cut the answers; None for a classification, where neither is measured.
    """

    version: Literal[1] = 1
    run_id: str
    task: Task
    metric: str
    rows: int
    held_out_rows: int
    sampled: bool
    held_out_uri: str
    held_out_generation: int
    labels: int
    tokenization: Tokenization | None
    contestants: tuple[Contestant, ...]
    comparison: Comparison
    verdict: Verdict
    reason: str
    misses: tuple[Miss, ...]
    model: str
    model_labels: dict[str, str] = {}
    endpoint: str

    def contestant(self, name: ContestantName) -> Contestant:
        return next(contestant for contestant in self.contestants if contestant.name == name)


def encode(report: Report) -> bytes:
    """Indented JSON, as it lies in the ledger."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2)


def decode(data: bytes) -> Report:
    """The report in an evaluation.json."""
    return msgspec.json.decode(data, type=Report)
