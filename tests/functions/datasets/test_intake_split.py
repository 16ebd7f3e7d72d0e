"""Held-out rows: how many, which, and that no prompt is on both sides."""

from __future__ import annotations

import io
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_rows import line, rows, text

from droptune.datasets import FORMATS
from droptune.datasets.split import (
    LEAST_HELD_OUT,
    LEAST_TRAINED,
    MOST_HELD_OUT,
    CannotSplit,
    held_out_prompts,
    prompt_counts,
    split,
)

TEXT = FORMATS["text"]


def halves(data: bytes) -> tuple[bytes, bytes]:
    held_out = held_out_prompts(prompt_counts(io.BytesIO(data), TEXT))
    train, evaluation = split(io.BytesIO(data), TEXT, held_out)
    return bytes(train.data), bytes(evaluation.data)


@pytest.mark.parametrize(("count", "held_out"), [(20, 10), (50, 10), (700, 70), (2500, 250), (6000, 250)])
def test_a_tenth_is_held_out_within_bounds(count: int, held_out: int) -> None:
    """A tenth, at least 10 and at most 250."""
    train, evaluation = halves(rows("text", 0, count))
    assert (train.count(b"\n"), evaluation.count(b"\n")) == (count - held_out, held_out)


def test_lines_are_kept_as_they_are() -> None:
    """Both sides hold the lines of the file verbatim and in order; only blank lines and CRs are left out."""
    data = rows("text", 0, 40)
    train, evaluation = halves(data.replace(b"\n", b"\r\n", 3) + b"\n")
    expected = data.splitlines()
    assert sorted(train.splitlines() + evaluation.splitlines()) == sorted(expected)
    assert train.splitlines() == [one for one in expected if one in train.splitlines()]


def test_the_order_of_rows_does_not_matter() -> None:
    """The choice hangs on the prompts alone."""
    lines = rows("text", 0, 60).splitlines(keepends=True)
    forth, back = halves(b"".join(lines)), halves(b"".join(reversed(lines)))
    assert sorted(forth[1].splitlines()) == sorted(back[1].splitlines())


@given(st.lists(st.integers(0, 60), min_size=20, max_size=120))
def test_equal_prompts_are_never_on_both_sides(numbers: list[int]) -> None:
    """However often prompts repeat, a split keeps them together and leaves enough on either side, or is refused."""
    data = b"".join(line({**text(n), "output_text": str(i)}) for i, n in enumerate(numbers))
    try:
        train, evaluation = halves(data)
    except CannotSplit:
        assert max(Counter(numbers).values()) > 1
        return
    prompts = [{json.loads(one)["input_text"] for one in side.splitlines()} for side in (train, evaluation)]
    assert not prompts[0] & prompts[1]
    assert train.count(b"\n") >= LEAST_TRAINED
    assert LEAST_HELD_OUT <= evaluation.count(b"\n") <= MOST_HELD_OUT
