"""Steps, epochs and batches against the vectors of the documentation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.methods import arithmetic
from droptune.methods.catalogue import base_models


@pytest.mark.parametrize(
    ("region", "rows", "steps", "seen", "epochs"),
    [("europe-west4", 240, 20, 480, 2.0), ("us-central1", 240, 15, 120, 0.5)],
)
def test_steps_become_examples_and_epochs(region: str, rows: int, steps: int, seen: int, epochs: float) -> None:
    """Examples seen = steps × batch of the computing region; epochs = examples seen / rows."""
    batch = arithmetic.batch_size(base_models()["text-bison@002"], region)
    assert batch is not None
    assert arithmetic.examples_seen(steps, batch) == seen
    assert arithmetic.epochs_of(steps, rows, batch) == epochs


def test_a_job_evaluates_at_whole_intervals_only() -> None:
    """200 steps with an interval of 100 evaluate twice."""
    assert arithmetic.evaluations(200, 100) == 2
    assert arithmetic.evaluations(199, 100) == 1


@pytest.mark.parametrize(("rows", "epochs", "steps"), [(3000, 30, 1410), (2000, 10, 320)])
def test_rlhf_counts_whole_batches_of_64_in_every_epoch(rows: int, epochs: int, steps: int) -> None:
    """3,000 rows are 47 batches: 30 epochs are 1,410 steps."""
    assert arithmetic.rlhf_steps(rows, epochs) == steps


@pytest.mark.parametrize(("prompts", "epochs", "steps"), [(351, 10, 110), (352, 10, 110), (704, 5, 110), (100, 10, 32)])
def test_reinforcement_makes_about_110_steps_by_default(prompts: int, epochs: float, steps: int) -> None:
    """The cap of ten epochs bites below 352 prompts."""
    assert arithmetic.reinforcement_default_epochs(prompts) == epochs
    assert arithmetic.reinforcement_steps(prompts, epochs) == steps


@given(rows=st.integers(1, 10**6), epochs=st.integers(1, 50), batch=st.integers(1, 128))
def test_the_steps_for_epochs_are_the_least_that_suffice(rows: int, epochs: int, batch: int) -> None:
    """One step less would not see every row that often."""
    steps = arithmetic.steps_for(rows, epochs, batch)
    assert arithmetic.epochs_of(steps, rows, batch) >= epochs > arithmetic.epochs_of(steps - 1, rows, batch)
