"""The sample of a file's rows: evenly spread, bounded, and the same rows however the file is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.datasets.sample import ALL_ROWS, MOST_BYTES, Sample

WIDTH = 10


def filled(*blocks: int, first: int = 0, expected: int = 0, size: int = 0) -> Sample:
    """A sample of rows that are their own numbers, given in blocks of so many rows each."""
    sample = Sample()
    sample.expect(expected)
    at = first
    for rows in blocks:
        numbers = np.arange(at, at + rows)
        sample.add(numbers.tolist(), numbers + 1, numbers * WIDTH, size)
        at += rows
    return sample


def numbers(sample: Sample) -> list[int]:
    for sampled in sample.rows:
        assert (sampled.line, sampled.offset) == (sampled.row + 1, sampled.row * WIDTH)
    return [sampled.row for sampled in sample.rows]


def test_small_files_are_taken_whole() -> None:
    """Up to the bound every row is there, and the closer look is at all of them."""
    sample = filled(3_000, 0, 7_000)
    assert numbers(sample) == list(range(ALL_ROWS))
    assert len(sample.closer()) == ALL_ROWS


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6_000), max_size=12), st.sampled_from([0, 9_000, 12_000, 300_000]))
def test_every_nth_row_is_taken_exactly(blocks: list[int], expected: int) -> None:
    """Whatever the blocks: the rows kept are those at 0, n, 2n, …, to the end, n being a power of two."""
    total = sum(blocks)
    found = numbers(filled(*blocks, expected=expected))
    step = found[1] if len(found) > 1 else max(total, 1)
    assert found == list(range(0, total, step))
    assert len(found) <= ALL_ROWS
    if len(found) > 1:
        assert step & (step - 1) == 0


def test_thinning_goes_on_as_the_file_grows() -> None:
    """A file that is longer than expected ends with as few rows as one whose length was known."""
    sample = filled(*[997] * 200)
    found = numbers(sample)
    assert ALL_ROWS / 2 <= len(found) <= ALL_ROWS
    assert found == list(range(0, 997 * 200, found[1]))
    assert len(sample.closer()) <= 2_000
    assert [row.row for row in sample.spread(10)] == found[:: -(-len(found) // 10)]


def test_large_rows_are_bounded_by_their_bytes() -> None:
    """Rows of a megabyte each are thinned long before there are many of them."""
    most = MOST_BYTES // 2**20
    sample = filled(*[1] * 100, size=2**20)
    found = numbers(sample)
    assert most / 2 <= len(found) <= most
    assert found == list(range(0, 100, found[1]))
    assert len(filled(1, size=10 * MOST_BYTES).rows) == 1


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 9_000), st.sampled_from([0, 30_000])), min_size=1, max_size=5))
def test_parts_are_merged_as_evenly_as_they_are_large(parts: list[tuple[int, int]]) -> None:
    """No part of a file has more than its share: within each, the rows kept are one step apart, the same for all."""
    whole, at = Sample(), 0
    bounds = []
    for rows, expected in parts:
        part = filled(rows, expected=expected)
        whole.merge(part, at, at * WIDTH)
        bounds.append((at, at + rows))
        at += rows
    found = [(sampled.line - 1, sampled.offset) for sampled in whole.rows]
    assert len(found) <= ALL_ROWS
    assert all(offset == line * WIDTH for line, offset in found)
    steps = set()
    for start, stop in bounds:
        lines = [line for line, _ in found if start <= line < stop]
        steps.update(int(step) for step in np.diff(lines))
        assert not lines or lines[-1] < stop
    assert len(steps) <= 1
    if steps:
        (step,) = steps
        assert all(
            abs(sum(start <= line < stop for line, _ in found) - (stop - start) / step) <= 1 for start, stop in bounds
        )


def test_merged_parts_stay_within_the_bytes() -> None:
    """The bound on bytes holds for the whole, not for each part."""
    whole = Sample()
    for part in range(8):
        whole.merge(filled(*[1] * 12, size=2**20), part * 12, 0)
    assert len(whole.rows) <= MOST_BYTES // 2**20
