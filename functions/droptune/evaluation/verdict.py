"""Whether a tuned model earned its place: approved when it beats the best of its base model, and not by luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SIGNIFICANCE = 0.05

Verdict = Literal["approved", "rejected"]


@dataclass(frozen=True)
class Decision:
    """`reason` is one line for people, with the numbers that decided."""

    verdict: Verdict
    reason: str


def decide(metric: str, tuned: float, baseline: float, baseline_name: str, p_value: float, rows: int) -> Decision:
    """Approved when the tuned model is higher and ``p < 0.05``; a tie or a chance result is rejected."""
    p_text = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"
    numbers = f"{metric} {tuned:.2f} against {baseline:.2f} {baseline_name}, {p_text} on {rows} rows"
    if tuned > baseline and p_value < SIGNIFICANCE:
        return Decision("approved", f"better: {numbers}")
    if tuned < baseline and p_value < SIGNIFICANCE:
        return Decision("rejected", f"worse: {numbers}")
    return Decision("rejected", f"not better: {numbers}")
