"""Repeated rows, conflicting answers and shared prompts, against comparing every row with every other."""

from __future__ import annotations

import io
import json
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_rows import ROWS, line, rows

from droptune.datasets.findings import Findings
from droptune.datasets.formats import FORMATS
from droptune.datasets.keys import ANCHORED, Keys, Repeat
from droptune.datasets.lines import judge
from droptune.datasets.rowformat import RowFormat
from droptune.datasets.rules import rule
from droptune.datasets.scan import Scan, scan

PREFERENCES = ("preference", "chat_preference", "gemini_preference", "openai_preference")
NAMES = ("text", "prompts", "chat", *PREFERENCES, "gemini_contents", "reinforcement")


class Row(NamedTuple):
    """A good row; `opposite` is what it would be as a whole if it preferred the other candidate."""

    line: int
    offset: int
    prompt: str
    whole: bytes
    opposite: bytes | None


def other_answer(row: dict[str, Any]) -> dict[str, Any]:
    """The row with another answer of the same length, where its format has one."""
    changed = json.dumps(row).replace("Answer", "Reply:").replace("_card", "_CARD").replace("card_", "CARD_")
    return json.loads(changed.replace("Yes.", "Yep.").replace(" says 1", " SAYS 1"))


def turned(row: dict[str, Any]) -> dict[str, Any]:
    """The preference row with its candidates the other way round, meaning the same where the format lets it."""
    row = dict(row)
    if "completions" in row:
        row["completions"] = row["completions"][::-1]
    elif "choice" in row:
        row["candidate_0"], row["candidate_1"] = row["candidate_1"], row["candidate_0"]
        row["choice"] = 1 - row["choice"]
    return row


def opposite(row: dict[str, Any]) -> dict[str, Any]:
    """The preference row with the same candidates at their places and the other one preferred."""
    row = json.loads(json.dumps(row))
    if "completions" in row:
        for completion in row["completions"]:
            completion["score"] = 1 - completion["score"]
    elif "choice" in row:
        row["choice"] = 1 - row["choice"]
    elif "preferred_output" in row:
        outputs = row["preferred_output"], row["non_preferred_output"]
        row["non_preferred_output"], row["preferred_output"] = outputs
    return row


def alike(row: dict[str, Any]) -> dict[str, Any]:
    """The preference row with one text for both candidates."""
    row = json.loads(json.dumps(row))
    if "completions" in row:
        row["completions"][0]["completion"] = row["completions"][1]["completion"]
    elif "choice" in row:
        row["candidate_0"] = row["candidate_1"]
    elif "preferred_output" in row:
        row["preferred_output"] = row["non_preferred_output"]
    return row


PIECES = st.one_of(
    st.tuples(st.just("row"), st.integers(0, 3)),
    st.tuples(st.just("other"), st.integers(0, 3)),
    st.tuples(st.just("noted"), st.integers(0, 3)),
    st.tuples(st.just("image"), st.integers(0, 3)),
    st.tuples(st.sampled_from(["turned", "opposite", "both", "alike"]), st.integers(0, 3)),
    st.tuples(st.sampled_from(["\n", " \n", "{\n", "[]\n", '{"a": 1}\n', "\ufeff{}\n"]), st.just(0)),
)


def written(name: str, kind: str, n: int) -> bytes:
    """One line of a file: a right row, one with a note or a part that is no text, or no row at all."""
    row = ROWS[name](n)
    if kind == "other":
        row = other_answer(row)
    elif kind == "noted":
        row["further"] = n
    elif kind == "image" and "contents" in row:
        row["contents"][0]["parts"].append({"fileData": {"mimeType": "image/png", "fileUri": f"gs://b/{n % 2}.png"}})
    elif kind in ("turned", "opposite", "both", "alike"):
        row = opposite(row) if kind in ("opposite", "both") else alike(row) if kind == "alike" else row
        row = turned(row) if kind in ("turned", "both") else row
    elif kind not in ("row", "image"):
        return kind.encode()
    return line(row)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """Files of one format, each of some lines that are often the same."""
    name = draw(st.sampled_from(NAMES))
    content = []
    for _ in range(2):
        filler = [written(name, "row", n) for n in range(10, 10 + draw(st.sampled_from([0, 3, 40])))]
        pieces = [written(name, kind, n) for kind, n in draw(st.lists(PIECES, max_size=25))]
        data = b"".join(filler[:20] + pieces + filler[20:])
        data = data.replace(b"\n", b"\r\n") if draw(st.booleans()) else data
        content.append(data.removesuffix(b"\n") if draw(st.booleans()) else data)
    return name, content


def good_rows(fmt: RowFormat, data: bytes) -> list[Row]:
    """Every row without error, judged alone."""
    found: list[Row] = []
    offset = 0
    for number, text in enumerate(data.split(b"\n"), start=1):
        value, problems = judge(text)
        problems += [] if value is None else fmt.problems(value)
        if value is not None and all(rule(problem.code).severity != "error" for problem in problems):
            row = msgspec.convert(value, fmt.row)
            whole, other = meanings(msgspec.to_builtins(row))
            found.append(Row(number, offset, fmt.example(row).prompt, whole, other))
        offset += len(text) + 1
    return found


def meanings(value: dict[str, Any]) -> tuple[bytes, bytes | None]:
    """A row as bytes that are the same for all rows that say the same, and those of its opposite if it has one."""
    ways = [min(msgspec.json.encode(each) for each in (row, turned(row))) for row in (value, opposite(value))]
    return ways[0], None if ways[0] == ways[1] else ways[1]


def compared(fmt: RowFormat, data: bytes) -> list[Repeat]:
    """What `Keys.repeats` is to give, by comparing all rows."""
    found: list[Repeat] = []
    good = good_rows(fmt, data)
    for at, row in enumerate(good):
        same = [other.line for other in good[:at] if (other.prompt, other.whole) == (row.prompt, row.whole)]
        against = [other.line for other in good[:at] if (other.prompt, other.whole) == (row.prompt, row.opposite)]
        asked = [other.line for other in good[:at] if other.prompt == row.prompt]
        if same:
            found.append(Repeat(row.line, row.offset, same[0], same=True))
        elif against:
            found.append(Repeat(row.line, row.offset, against[0], same=False))
        elif asked and fmt.one_answer_per_prompt:
            found.append(Repeat(row.line, row.offset, asked[0], same=False))
    return found


def scanned(data: bytes, fmt: RowFormat) -> Scan:
    return scan(io.BytesIO(data), "x", Findings(), fmt=fmt)


def opened(data: bytes) -> partial[AbstractContextManager[BinaryIO]]:
    return partial(io.BytesIO, data)


@given(files())
def test_repeats_are_those_of_a_comparison_of_all_rows(drawn: tuple[str, list[bytes]]) -> None:
    """Exact in lines, offsets and kind, whatever stands between the rows."""
    name, (data, _) = drawn
    fmt = FORMATS[name]  # type: ignore[index]
    assert list(scanned(data, fmt).keys.repeats(fmt, opened(data))) == compared(fmt, data)


@given(files())
def test_shared_prompts_are_those_of_a_comparison_of_all_rows(drawn: tuple[str, list[bytes]]) -> None:
    """Every row of one file whose prompt is in the other, and no other row."""
    name, (train, evaluation) = drawn
    fmt = FORMATS[name]  # type: ignore[index]
    asked = {row.prompt for row in good_rows(fmt, train)}
    expected = [(row.line, row.offset) for row in good_rows(fmt, evaluation) if row.prompt in asked]
    keys, others = scanned(evaluation, fmt).keys, scanned(train, fmt).keys
    assert keys.shared_with(others, fmt, opened(evaluation), opened(train)) == expected


@given(files(), st.integers(0, 60))
def test_parts_are_merged_as_if_read_in_one(drawn: tuple[str, list[bytes]], cut: int) -> None:
    """The keys of two halves of a file are those of the file."""
    name, (data, _) = drawn
    fmt = FORMATS[name]  # type: ignore[index]
    ends = [at + 1 for at, byte in enumerate(data) if byte == 0x0A and at + 1 < len(data)]
    if not ends:
        return
    middle = ends[cut % len(ends)]
    halves = [scanned(half, fmt) for half in (data[:middle], data[middle:])]
    keys = halves[0].keys
    keys.merge(halves[1].keys, halves[0].lines, middle)
    assert list(keys.repeats(fmt, opened(data))) == compared(fmt, data)
    assert keys.left_out == 0


@pytest.mark.parametrize("name", PREFERENCES)
def test_a_preference_is_the_same_whichever_way_round(name: str) -> None:
    """Candidates and choice swapped say the same, the other choice says the opposite, and one text twice nothing."""
    fmt = FORMATS[name]  # type: ignore[index]
    same, against, equal = (written(name, kind, 1) for kind in ("turned", "opposite", "alike"))
    data = written(name, "row", 1) + same + against + written(name, "both", 1) + equal
    found = [(each.line, each.first_line, each.same) for each in scanned(data, fmt).keys.repeats(fmt, opened(data))]
    assert found == [(2, 1, True), (3, 1, False), (4, 3, True)]


def test_prompts_are_shared_with_rows_of_another_format() -> None:
    """Formats whose prompts are one text by different names are compared by it."""
    contents = rows("ground_truth", 2, 5), rows("prompts", 0, 4)
    fmt, fmt_other = FORMATS["ground_truth"], FORMATS["prompts"]
    keys, others = scanned(contents[0], fmt).keys, scanned(contents[1], fmt_other).keys
    reopen, reopen_other = map(opened, contents)
    assert [line for line, _ in keys.shared_with(others, fmt, reopen, reopen_other, fmt_other)] == [1, 2]


def test_lines_far_into_a_block_are_found_again() -> None:
    """Repeats are read from the nearest line whose place was kept, at every distance from it."""
    fmt = FORMATS["text"]
    data = rows("text", 0, 5 * ANCHORED) + b"oops\n" + rows("text", 0, 5 * ANCHORED)
    found = list(scanned(data, fmt).keys.repeats(fmt, opened(data)))
    assert found == compared(fmt, data)
    assert [repeat.first_line for repeat in found] == list(range(1, 5 * ANCHORED + 1))


def test_rows_beyond_the_bound_are_counted() -> None:
    """Of more rows than are compared, the first are, and how many were left out is known; in parts, too."""
    fmt = FORMATS["text"]
    data = rows("text", 0, 6) + rows("text", 0, 6)
    whole = scanned(data, fmt).keys
    bounded = Keys(max_rows=8)
    bounded.merge(whole, 0, 0)
    found = list(bounded.repeats(fmt, opened(data)))
    assert (bounded.rows, bounded.left_out) == (8, 4)
    assert [(repeat.line, repeat.first_line) for repeat in found] == [(7, 1), (8, 2)]
    bounded.merge(whole, 12, len(data))
    assert (bounded.rows, bounded.left_out) == (8, 16)


def test_an_empty_file_shares_nothing() -> None:
    """Without rows there is nothing to compare, on either side."""
    fmt = FORMATS["text"]
    contents = b"\n", rows("text", 0, 3)
    empty, some = (scanned(data, fmt).keys for data in contents)
    reopen_empty, reopen_some = map(opened, contents)
    assert empty.shared_with(some, fmt, reopen_empty, reopen_some) == []
    assert some.shared_with(empty, fmt, reopen_some, reopen_empty) == []
    assert list(empty.repeats(fmt, reopen_empty)) == []
    assert (some.distinct_prompts, empty.distinct_prompts) == (3, 0)


@pytest.mark.parametrize("now", [b"", b"{}\n" * 400, b"\xff" * 20_000])
def test_a_file_that_changes_meanwhile_is_an_error_of_reading(tmp_path: Path, now: bytes) -> None:
    """Rows that are looked up again may be gone by then: that is said as such, and is no traceback."""
    path = tmp_path / "train.jsonl"
    data = rows("text", 0, 100) * 2
    path.write_bytes(data)
    scanned = scan(io.BytesIO(data), path.name, Findings())
    path.write_bytes(now)
    assert scanned.format is not None
    with pytest.raises(OSError, match="changed while it was checked"):
        list(scanned.keys.repeats(scanned.format, partial(path.open, "rb", buffering=0)))
