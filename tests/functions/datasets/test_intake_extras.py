"""Files whose rows have further fields: taken along on the fast path, with the findings of the slow one."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from intake_rows import ROWS, line, text

from droptune.datasets.extras import MOST_FIELDS, Extras, field_of
from droptune.datasets.findings import Findings, printable
from droptune.datasets.formats import FORMATS, detect, same_shape
from droptune.datasets.judging import Judge
from droptune.datasets.lines import judge
from droptune.datasets.rowformat import Problem
from droptune.datasets.rules import rule
from droptune.datasets.scan import Scan, scan

NAMES = st.sampled_from(
    ["id", "a b", "class", "/~", "", "~1", "é", "extra_0", "a.b", 'say "a"', "back\\", "tab\t", "0"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", 'x\\": ', "💳"]) | st.just(0.5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
FURTHER = st.dictionaries(NAMES, VALUES, max_size=3)
FORMAT_NAMES = ("text", "chat", "preference", "gemini_messages", "gemini_contents", "completion")


def scanned(data: bytes, name: str) -> tuple[Scan, Findings]:
    findings = Findings()
    return scan(io.BytesIO(data), "x", findings, fmt=FORMATS[name]), findings  # type: ignore[index]


def judged_alone(data: bytes, name: str) -> tuple[int, Counter[str], set[tuple[str, str | None]]]:
    """Good rows, codes, and places of what is said of unknown fields, from every line by itself."""
    good = 0
    codes: Counter[str] = Counter()
    places: set[tuple[str, str | None]] = set()
    for each in data.splitlines():
        value, problems = judge(each)
        if value is not None:
            problems += FORMATS[name].problems(value)  # type: ignore[index]
        codes.update(problem.code for problem in problems)
        places.update((problem.code, printable(problem.pointer) or None) for problem in problems)
        good += all(rule(problem.code).severity != "error" for problem in problems)
    return good, codes, places


def assert_as_alone(data: bytes, name: str) -> Scan:
    result, findings = scanned(data, name)
    good, codes, places = judged_alone(data, name)
    assert result.content.rows == good
    assert findings.by_code == codes
    assert {(found.code, found.pointer) for found in findings.listed()} == places
    return result


@given(
    st.sampled_from(FORMAT_NAMES), FURTHER, st.lists(st.tuples(st.booleans(), FURTHER), max_size=8), st.integers(1, 30)
)
@example("text", {'say "a"': 1}, [], 5)
@example("text", {"id": {"a": [{"b": 1}]}}, [(True, {"id": 3}), (False, {})], 9)
def test_findings_are_those_of_each_row_alone(
    name: str, common: dict[str, Any], others: list[tuple[bool, dict[str, Any]]], times: int
) -> None:
    """What all rows have, what some lack, and what others have besides: all is counted as often as it is there."""
    make = ROWS[name]
    content = [{**make(n), **common} for n in range(times)]
    content += [{**make(100 + n), **(common if both else {}), **more} for n, (both, more) in enumerate(others)]
    data = b"".join(map(line, content))
    assert_as_alone(data, name)
    assert_as_alone(data.replace(b'": ', b'" : '), name)


@pytest.mark.parametrize("depth", [3, 99, 101, 500, 900])
def test_depth_of_a_further_field(depth: int) -> None:
    """A field that every row has may be nested as deeply as any other value, and no deeper."""
    nested = json.loads("[" * depth + "]" * depth)
    data = b"".join(line({**text(n), "id": n}) for n in range(30)) + line({**text(99), "id": nested})
    _, findings = scanned(data, "text")
    assert ("JSON-TOO-DEEP" in findings.by_code) == (depth > 99)
    data = b"".join(line({**text(n), "id": nested}) for n in range(30))
    assert scanned(data, "text")[1].by_code["JSON-TOO-DEEP"] == (30 if depth > 99 else 0)


def test_a_repeated_further_field_is_an_error() -> None:
    """The fast path cannot be led to overlook that an unknown field is there twice, or twice within it."""
    data = b"".join(line({**text(n), "id": {"a": n}}) for n in range(30))
    data += data.splitlines()[-1].replace(b'"id"', b'"id": 1, "id"') + b"\n"
    data += data.splitlines()[0].replace(b'"a"', b'"a": 1, "a"') + b"\n"
    assert scanned(data, "text")[1].by_code["DUPLICATE-KEY"] == 2
    assert_as_alone(data, "text")


def test_more_fields_than_are_taken_along() -> None:
    """Beyond some fields, rows are judged one by one: nothing else changes."""
    further = {f"field{n}": n for n in range(MOST_FIELDS + 1)}
    assert_as_alone(b"".join(line({**text(n), **further}) for n in range(20)), "text")


def test_fields_that_come_later_are_seen() -> None:
    """What only later blocks have is found there, and what they lack is not counted."""
    first = b"".join(line({**text(n), "id": "x" * 500}) for n in range(1_500))
    then = b"".join(line({**text(n), "source": "y" * 500}) for n in range(1_500))
    assert_as_alone(first + then + first, "text")


def test_rows_are_taken_along_without_their_further_fields() -> None:
    """A row goes to another process as one of its format, and is the same row as one without the fields."""
    fmt = FORMATS["text"]
    extras = Extras(fmt, [Problem("TEXT-UNKNOWN-FIELD", "/a~1b", {"found": "a/b"})])
    row = extras.row(**{"input_text": "a", "output_text": "b", "extra_0": [1]})
    assert field_of(extras.problems[0]) == "a/b"
    assert extras.plain(row) == fmt.row("a", "b")
    assert Extras(fmt).plain(fmt.row("a", "b")) == fmt.row("a", "b")


def test_repeated_rows_are_found_whatever_their_further_fields() -> None:
    """Rows that differ in fields nobody reads are the same to the service."""
    data = b"".join(line({**text(n % 10), "id": n}) for n in range(20))
    result = scan(io.BytesIO(data), "x", Findings(), fmt=FORMATS["text"])
    found = list(result.keys.repeats(FORMATS["text"], lambda: io.BytesIO(data)))
    assert [(each.line, each.first_line, each.same) for each in found] == [(n + 11, n + 1, True) for n in range(10)]


TELLING = ["input_text", "output_text", "messages", "contents", "choice", "prompt", "text", "_id", "tools", "rationale"]


@given(
    name=st.sampled_from(sorted(FORMATS)),
    further=st.sets(st.sampled_from(TELLING) | NAMES, max_size=5),
    data=st.data(),
)
def test_a_shape_is_kept_whatever_further_fields_hold(name: str, further: set[str], data: st.DataObject) -> None:
    """With any of the fields, and any values in them, a row is taken for the same."""
    row = {key: value for key, value in ROWS[name](1).items() if key not in further}
    if same_shape(row, further):
        some = data.draw(st.dictionaries(st.sampled_from(sorted(further)), VALUES)) if further else {}
        assert detect({**row, **some}) == detect(row)


@pytest.mark.parametrize(("name", "kept"), [("text", True), ("completion_prompts", False)])
def test_fields_that_tell_formats_apart_are_taken_along_where_they_do_not(name: str, kept: bool) -> None:
    """`prompt` says nothing of a row of text; `input_text` makes another row of a prompt."""
    further = {"prompt": None} if kept else {"input_text": None, "messages": None}
    given = [line({**ROWS[name](n), **further}) for n in range(9)]
    assert same_shape(ROWS[name](0), further) is kept
    mixed = [line({**ROWS[name](n), "input_text": None}) for n in range(9, 12)] if not kept else []
    fmt = FORMATS[name]  # type: ignore[index]
    _, findings = scanned(b"".join([*given, *mixed]), name)
    expected: Counter[str] = Counter()
    for each in [*given, *mixed]:
        expected.update(problem.code for problem in Judge(fmt).line(each)[1])
    assert findings.by_code == expected
