"""Intervals and paired comparisons, held against published or exact values."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.evaluation import statistics

MARKS = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=60)


def test_wilsons_interval_of_a_share() -> None:
    """7 of 10 is 0.397 to 0.892 (Wilson 1927, as in any table)."""
    interval = statistics.share([1.0] * 7 + [0.0] * 3)
    assert (interval.value, interval.rows) == (0.7, 10)
    assert interval.low == pytest.approx(0.3968, abs=1e-4)
    assert interval.high == pytest.approx(0.8922, abs=1e-4)


@given(MARKS)
def test_an_interval_holds_its_share(scores: list[float]) -> None:
    """Low and high stand around the value and within 0..1, all right and all wrong included."""
    interval = statistics.share(scores)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_mean_repeats_itself(scores: list[float]) -> None:
    """The bootstrap is seeded: the same scores give the same interval, and it holds the mean."""
    interval = statistics.mean(scores)
    assert interval == statistics.mean(scores)
    assert interval.low - 1e-9 <= interval.value <= interval.high + 1e-9


def test_mcnemars_test_looks_at_rows_that_differ() -> None:
    """8 rows against 1 are p = 0.0390625 exactly, however many rows both got right."""
    first = [1.0] * 8 + [0.0] + [1.0] * 50
    second = [0.0] * 8 + [1.0] + [1.0] * 50
    assert statistics.shares_differ(first, second) == pytest.approx(0.0390625)
    assert statistics.shares_differ(second, first) == pytest.approx(0.0390625)
    assert statistics.shares_differ(first, first) == 1.0


def test_a_permutation_of_few_rows_is_exact() -> None:
    """Six rows all better by the same amount: 2 of 64 sign patterns are as extreme."""
    assert statistics.means_differ([0.9] * 6, [0.4] * 6) == pytest.approx(2 / 64)
    assert statistics.means_differ([0.5, 0.6], [0.5, 0.6]) == 1.0


def test_a_permutation_of_many_rows_repeats_itself() -> None:
    """The resampling is seeded."""
    first = [(i * 37 % 100) / 100 for i in range(80)]
    second = [(i * 53 % 100) / 100 for i in range(80)]
    assert statistics.means_differ(first, second) == statistics.means_differ(first, second)
