"""Held-out rows: how many, which, and that no prompt is on both sides."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_rows import line, rows, text

from droptune.datasets.formats import FORMATS
from droptune.datasets.split import (
    CHUNK_BYTES,
    LEAST_HELD_OUT,
    LEAST_TRAINED,
    MOST_HELD_OUT,
    CannotSplit,
    HeldOut,
    Prompts,
    Sides,
    prompts_of,
)

TEXT = FORMATS["text"]


def halves(data: bytes) -> tuple[bytes, bytes]:
    held_out = prompts_of(io.BytesIO(data), TEXT).held_out()
    sides = Sides(io.BytesIO(data), TEXT, held_out)
    train, evaluation = b"".join(sides), bytes(sides.evaluation)
    rows = [json.loads(one) for one in train.splitlines()]
    assert held_out.trained_rows == len(rows)
    assert held_out.rows == evaluation.count(b"\n")
    assert held_out.trained_characters == sum(len(row["input_text"]) + len(row["output_text"]) for row in rows)
    return train, evaluation


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


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 9)), min_size=180, max_size=400))
def test_prompts_that_come_late_in_order_need_not_be_remembered(rows: list[tuple[int, int]]) -> None:
    """The choice among the candidates alone is the choice among all prompts."""

    def chosen(candidates: int) -> HeldOut | None:
        prompts = Prompts(candidates)
        for prompt, characters in rows:
            prompts.add(prompt.to_bytes(8, "big"), characters)
        try:
            return prompts.held_out()
        except CannotSplit:
            return None

    assert chosen(80) == chosen(1 << 20)


def test_the_training_side_comes_in_chunks() -> None:
    """A file of any size is split in the memory of a chunk and of the rows held out."""
    data = b"".join(line({**text(n), "output_text": "x" * 1000}) for n in range(2_000))
    sides = Sides(io.BytesIO(data), TEXT, prompts_of(io.BytesIO(data), TEXT).held_out())
    sizes = [len(chunk) for chunk in sides]
    assert len(sizes) > 5
    assert max(sizes) < CHUNK_BYTES + 2_000
    assert sum(sizes) + len(sides.evaluation) == len(data)


def test_memory_does_not_grow_with_the_file() -> None:
    """Of many different prompts only the candidates are kept."""
    prompts = Prompts(1000)
    tracemalloc.start()
    for number in range(100_000):
        prompts.add((number * 2_654_435_761 % 2**32).to_bytes(8, "big"), 10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held_out = prompts.held_out()
    assert peak < 2_000_000
    assert (held_out.rows, held_out.trained_rows) == (250, 99_750)
    assert held_out.trained_characters == 997_500
