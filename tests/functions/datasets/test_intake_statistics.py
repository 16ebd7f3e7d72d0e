"""The statistics of a file, against counting its rows one by one."""

from __future__ import annotations

import io
import math
from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_rows import ROWS, line, preference, rows, text

from droptune.datasets.content.totals import Preferences
from droptune.datasets.fieldtexts import texts_of_fields
from droptune.datasets.findings import Findings
from droptune.datasets.formats import FORMATS
from droptune.datasets.report import Summary
from droptune.datasets.rowformat import Batch
from droptune.datasets.scan import scan
from droptune.datasets.statistics import BINS, MAX_LABEL_CHARACTERS, MAX_LABELS, PERCENTILES, Lengths, Rows, summaries
from droptune.events import Format

# Usual lengths, those at the edge of what is counted in an array, and those of a whole book.
LENGTHS = st.integers(0, 40) | st.sampled_from([255, 256, 257, 511, 65_535, 65_536, 65_537]) | st.integers(0, 2**24)
BATCHES = st.lists(st.lists(LENGTHS, max_size=40), max_size=5)


def counted(batches: list[list[int]]) -> Lengths:
    lengths = Lengths()
    for batch in batches:
        lengths.add(np.array(batch, np.int32))
    return lengths


def nearest_rank(values: list[int], percent: int) -> int:
    return sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]


def assert_summary(found: Summary | None, values: list[int]) -> None:
    if not values:
        assert found is None
        return
    assert found is not None
    assert (found.count, found.total, found.min, found.max) == (len(values), sum(values), min(values), max(values))
    assert found.mean == round(sum(values) / len(values), 1)
    assert found.percentiles == {f"p{percent}": nearest_rank(values, percent) for percent in PERCENTILES}
    bins = found.histogram
    assert 1 <= len(bins) <= BINS
    assert bins[0].least <= min(values)
    assert max(values) <= bins[-1].most
    assert all(low.most + 1 == high.least for low, high in pairwise(bins))
    assert [each.count for each in bins] == [sum(each.least <= value <= each.most for value in values) for each in bins]
    widths = {each.most - each.least + 1 for each in bins[:-1]}
    assert len(widths) <= 1


@given(BATCHES)
def test_a_summary_is_that_of_all_values(batches: list[list[int]]) -> None:
    """Exact sums, percentiles by nearest rank, and a histogram in which every value is once."""
    values = [value for batch in batches for value in batch]
    lengths = counted(batches)
    assert_summary(lengths.summary(), values)
    assert lengths.total == sum(values)


@given(BATCHES, BATCHES)
def test_merged_lengths_are_those_of_the_whole(first: list[list[int]], second: list[list[int]]) -> None:
    """Two parts give what counting all at once gives."""
    merged = counted(first)
    merged.merge(counted(second))
    assert merged.summary() == counted(first + second).summary()


def test_the_usual_values_have_narrow_bins() -> None:
    """One text far above the others does not push them all into one bin."""
    found = counted([[*range(100, 200)] * 3, [2_000_000]]).summary()
    assert found is not None
    assert sum(each.count > 0 for each in found.histogram) > 15
    assert found.histogram[-1].most >= 2_000_000


def test_fields_without_values_are_left_out() -> None:
    """A field that no row has is no field of the statistics."""
    found = summaries([("a", Lengths()), ("b", counted([[3]]))])
    assert list(found) == ["b"]


def scanned(data: bytes, name: str) -> Rows:
    return scan(io.BytesIO(data), "x", Findings(), fmt=FORMATS[name]).content  # type: ignore[index]


@pytest.mark.parametrize("name", FORMATS)
def test_statistics_are_those_of_the_texts(name: Format) -> None:
    """Per field, what the columns of all rows say is what the texts of each row say."""
    fmt = FORMATS[name]
    content = scanned(rows(name, 0, 60), name)
    typed = [msgspec.json.decode(line(ROWS[name](n)), type=fmt.row) for n in range(60)]
    measured = fmt.measure(typed)
    texts: dict[str, list[int]] = {}
    for row in typed:
        for field, said in texts_of_fields(row).items():
            texts.setdefault(field, []).extend(map(len, said))
    assert content.rows == 60
    if isinstance(measured, Batch):
        for field, summary in summaries(content.fields.items()).items():
            assert_summary(summary, texts[field])
    assert (content.answer.total > 0) == fmt.has_answer


LABELS = st.lists(st.sampled_from(["yes", "no", "perhaps", "x" * MAX_LABEL_CHARACTERS]), min_size=1, max_size=40)


@given(LABELS, LABELS)
def test_labels_are_counted(first: list[str], second: list[str]) -> None:
    """Few, short answers that are used twice or more on average are labels, the commonest first; parts add up."""
    parts = [
        scanned(b"".join(line({"input_text": "a", "output_text": each}) for each in answers), "text")
        for answers in (first, second)
    ]
    parts[0].merge(parts[1])
    expected = Counter(first + second)
    used = expected.total() >= 2 * len(expected)
    assert parts[0].labels == (dict(expected) if used else None)
    if parts[0].labels:
        assert list(parts[0].labels) == sorted(expected, key=lambda label: (-expected[label], label))


@pytest.mark.parametrize(
    "answers",
    [
        [f"label{n}" for n in range(MAX_LABELS + 1)] * 3,
        ["x" * (MAX_LABEL_CHARACTERS + 1)] * 5,
        [f"{n}" for n in range(20)],
    ],
    ids=["many", "long", "once"],
)
def test_answers_that_are_no_labels(answers: list[str]) -> None:
    """Too many, too long, or each used once: then they are texts, whichever part of the file shows it."""
    whole, first, second = (
        scanned(b"".join(line({**text(n), "output_text": each}) for n, each in enumerate(some)), "text")
        for some in (answers, answers[::2], answers[1::2])
    )
    first.merge(second)
    assert whole.labels is None
    assert first.labels is None


CANDIDATE = st.text("ab ", min_size=1, max_size=4).filter(str.strip)


PAIR = st.tuples(CANDIDATE, CANDIDATE, st.integers(0, 1)).filter(lambda pair: pair[0] != pair[1])


@given(st.lists(PAIR, min_size=1, max_size=30), st.integers(0, 30))
def test_preferences_are_counted(pairs: list[tuple[str, str, int]], cut: int) -> None:
    """How often the better candidate is longer, shorter, as long, or the first, and the mean lengths; parts add up."""

    def row(first: str, second: str, choice: int) -> dict[str, Any]:
        return {**preference(0), "candidate_0": first, "candidate_1": second, "choice": choice}

    parts = [
        scanned(b"".join(line(row(*pair)) for pair in some) or b"\n", "preference")
        for some in (pairs[:cut], pairs[cut:])
    ]
    parts[0].merge(parts[1])
    better = [len(pair[pair[2]]) for pair in pairs]
    worse = [len(pair[1 - pair[2]]) for pair in pairs]
    expected = Preferences(
        len(pairs),
        sum(a > b for a, b in zip(better, worse, strict=True)),
        sum(a < b for a, b in zip(better, worse, strict=True)),
        sum(a == b for a, b in zip(better, worse, strict=True)),
        sum(pair[2] == 0 for pair in pairs),
        sum(better) / len(pairs),
        sum(worse) / len(pairs),
    )
    assert parts[0].totals().preferences == expected


def test_rows_that_are_not_plain_count_too() -> None:
    """A row with an image is counted like the others: rows, characters, and its answer."""
    image = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}}
    row = ROWS["gemini_contents"](1)
    row["contents"][0]["parts"].append(image)
    content = scanned(rows("gemini_contents", 0, 1) + line(row), "gemini_contents")
    assert content.rows == 2
    assert content.answer.total == 2 * len("Answer 1.")
    assert content.characters > 2 * len("Be brief.Question 1?Answer 1.")
