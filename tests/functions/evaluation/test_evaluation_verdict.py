"""When a tuned model is approved."""

from __future__ import annotations

import pytest

from droptune.evaluation.verdict import decide


@pytest.mark.parametrize(
    ("tuned", "baseline", "p_value", "verdict", "reason"),
    [
        (0.92, 0.58, 1e-9, "approved", "better: exact_match 0.92 against 0.58 few-shot, p < 0.001 on 150 rows"),
        (0.61, 0.60, 0.8, "rejected", "not better: exact_match 0.61 against 0.60 few-shot, p = 0.8 on 150 rows"),
        (0.60, 0.60, 1.0, "rejected", "not better: exact_match 0.60 against 0.60 few-shot, p = 1 on 150 rows"),
        (0.40, 0.60, 0.002, "rejected", "worse: exact_match 0.40 against 0.60 few-shot, p = 0.002 on 150 rows"),
        (0.65, 0.60, 0.05, "rejected", "not better: exact_match 0.65 against 0.60 few-shot, p = 0.05 on 150 rows"),
    ],
)
def test_only_a_significant_gain_is_approved(
    tuned: float, baseline: float, p_value: float, verdict: str, reason: str
) -> None:
    """Higher and p below 0.05; the reason holds the numbers."""
    decision = decide("exact_match", tuned, baseline, "few-shot", p_value, 150)
    assert (decision.verdict, decision.reason) == (verdict, reason)
