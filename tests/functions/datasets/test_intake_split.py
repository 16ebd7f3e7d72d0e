"""Held-out rows: how many, which, that no prompt is on both sides, and that no row that was accepted is lost."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_agreement import mutated
from intake_rows import ROWS, judge, line, rows, text

from droptune.datasets.check import Options
from droptune.datasets.formats import FORMATS, detect
from droptune.datasets.lines import judge as judge_line
from droptune.datasets.rowformat import RowFormat
from droptune.datasets.rules import all_rules
from droptune.datasets.split import (
    CHUNK_BYTES,
    LEAST_HELD_OUT,
    LEAST_TRAINED,
    MOST_HELD_OUT,
    USUAL,
    CannotSplit,
    HeldOut,
    NotARow,
    Prompts,
    Quota,
    Sides,
    held_out_of,
    number_of_rows,
    share_of_rows,
)
from droptune.events import Format

TEXT = FORMATS["text"]


def halves(data: bytes, fmt: RowFormat = TEXT, quota: Quota = USUAL, seed: str | None = None) -> tuple[bytes, bytes]:
    held_out = held_out_of(io.BytesIO(data), fmt, quota, seed)
    sides = Sides(io.BytesIO(data), fmt, held_out)
    train, evaluation = b"".join(sides), bytes(sides.evaluation)
    assert (held_out.trained_rows, held_out.rows) == (train.count(b"\n"), evaluation.count(b"\n"))
    return train, evaluation


def assert_divided(data: bytes, fmt: RowFormat, quota: Quota = USUAL) -> None:
    """Each line is on exactly one side, as it is."""
    train, evaluation = halves(data, fmt, quota)
    expected = [one.removesuffix(b"\r") for one in data.split(b"\n") if one.strip()]
    assert Counter(train.split(b"\n")[:-1] + evaluation.split(b"\n")[:-1]) == Counter(expected)


# --- how many, and which ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "held_out"), [(20, 10), (50, 10), (700, 70), (2500, 250), (6000, 250)])
def test_a_tenth_is_held_out_within_bounds(count: int, held_out: int) -> None:
    """A tenth, at least 10 and at most 250."""
    train, evaluation = halves(rows("text", 0, count))
    assert (train.count(b"\n"), evaluation.count(b"\n")) == (count - held_out, held_out)


@pytest.mark.parametrize(
    ("quota", "held_out"),
    [(share_of_rows(0.5), 50), (share_of_rows(0.001), 1), (number_of_rows(7), 7), (number_of_rows(98), 98)],
)
def test_as_many_are_held_out_as_asked_for(quota: Quota, held_out: int) -> None:
    """A share or a number of rows has no other bounds than that both sides have a row."""
    train, evaluation = halves(rows("text", 0, 100), quota=quota)
    assert (train.count(b"\n"), evaluation.count(b"\n")) == (100 - held_out, held_out)


def test_the_choice_never_changes() -> None:
    """A run that is repeated by a later version holds out the same rows."""
    _, evaluation = halves(rows("text", 0, 100))
    held_out = sorted(int(json.loads(one)["input_text"].split()[-1][:-1]) for one in evaluation.splitlines())
    assert held_out == [12, 22, 26, 39, 51, 74, 79, 90, 94, 95]


def test_the_order_of_rows_does_not_matter() -> None:
    """The choice hangs on the prompts alone."""
    lines = rows("text", 0, 60).splitlines(keepends=True)
    forth, back = halves(b"".join(lines)), halves(b"".join(reversed(lines)))
    assert sorted(forth[1].splitlines()) == sorted(back[1].splitlines())


def test_another_seed_is_another_choice() -> None:
    """Each seed has its own, and again the same."""
    data = rows("text", 0, 100)
    choices = [halves(data, seed=seed)[1] for seed in (None, "a", "b", "a")]
    assert len(set(choices)) == 3
    assert choices[1] == choices[3]


@given(st.lists(st.integers(0, 60), min_size=20, max_size=120), st.sampled_from([None, "seed"]))
def test_equal_prompts_are_never_on_both_sides(numbers: list[int], seed: str | None) -> None:
    """However often prompts repeat, a split keeps them together and leaves enough on either side, or is refused."""
    data = b"".join(line({**text(n), "output_text": str(i)}) for i, n in enumerate(numbers))
    try:
        train, evaluation = halves(data, seed=seed)
    except CannotSplit as refused:
        assert max(Counter(numbers).values()) > 1
        assert (refused.rows, refused.prompts) == (len(numbers), len(set(numbers)))
        return
    prompts = [{json.loads(one)["input_text"] for one in side.splitlines()} for side in (train, evaluation)]
    assert not prompts[0] & prompts[1]
    assert train.count(b"\n") >= LEAST_TRAINED
    assert LEAST_HELD_OUT <= evaluation.count(b"\n") <= MOST_HELD_OUT


def test_what_is_left_to_train_on_is_counted() -> None:
    """The characters of the training side are those of its prompts and answers, also beside prompts passed over."""
    often = [text(n % 3) for n in range(900)]  # of which none can be held out
    data = b"".join(line(row) for row in [*often, *(text(n) for n in range(1000, 1100))])
    held_out = held_out_of(io.BytesIO(data), TEXT)
    trained = [json.loads(one) for one in b"".join(Sides(io.BytesIO(data), TEXT, held_out)).splitlines()]
    assert held_out.trained_characters == sum(len(row["input_text"]) + len(row["output_text"]) for row in trained)
    assert (held_out.rows, held_out.trained_rows) == (100, 900)


# --- the lines ----------------------------------------------------------------------------------------------------


def test_lines_are_kept_as_they_are() -> None:
    """Both sides hold the lines of the file verbatim and in order; only blank lines, CRs and a mark are left out."""
    data = rows("text", 0, 40)
    train, evaluation = halves(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n", 3) + b" \r\n\n")
    expected = data.splitlines()
    assert sorted(train.splitlines() + evaluation.splitlines()) == sorted(expected)
    assert train.splitlines() == [one for one in expected if one in train.splitlines()]


def odd_lines(name: Format) -> list[bytes]:
    """Lines of a format from the rules' examples, wrong ones too, that have no error."""
    found = []
    for rule in all_rules():
        for example in (rule.right, rule.wrong):
            value, _ = judge_line(example.encode("utf-8", "surrogatepass")) if example.startswith("{") else (None, [])
            if value is not None and detect(value) == name and b"\n" not in example.encode("utf-8", "surrogatepass"):
                found.append(example.encode("utf-8", "surrogatepass"))
    data = rows(name, 0, 30) + b"\n".join(found) + b"\n"
    listed = judge(data, options=Options(format=name)).findings.listed()
    wrong = {finding.line for finding in listed if finding.severity == "error" and finding.line is not None}
    return [one for number, one in enumerate(found, 31) if number not in wrong]


@pytest.mark.parametrize("name", FORMATS)
def test_rows_of_every_format_are_divided(name: Format) -> None:
    """Plain rows and all the odd ones that no rule forbids: with media, functions, tools, weights, unknown fields."""
    odd = odd_lines(name)
    data = rows(name, 0, 30) + b"\r\n".join(odd) + b"\n"
    assert_divided(data, FORMATS[name])


NUMBERS = ("1e400", "-1e999", "9" * 400, "1.5e-400", "18446744073709551616")


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_beyond_any_bounds_are_read_where_they_are_accepted(number: str) -> None:
    """In fields that are not read, and in arguments of functions, numbers may be larger than decoders take."""
    function = (
        b'{"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"functionCall": '
    )
    function += b'{"name": "f", "args": {"x": %s}}}]}], "tools": [{"functionDeclarations": [{"name": "f"}]}]}\n'
    unknown = b'{"input_text": "a", "output_text": "b", "x": %s}\n'
    for name, template in (("gemini_contents", function), ("text", unknown)):
        row = template % number.encode()
        data = rows(name, 0, 30) + row + row
        assert judge(data).scans["train"].content.rows == 32
        assert_divided(data, FORMATS[name])


FIELDS = ("input_text", "role", "content", "parts", "text", "choice", "tools", "weight", "functionCall", "id", "/~")


@given(st.data(), st.sampled_from(sorted(FORMATS)))
def test_a_row_is_divided_or_was_refused_before(data: st.DataObject, name: Format) -> None:
    """Rows without errors are split; of any others, at most that they are no rows is said."""
    drawn: list[Any] = data.draw(st.lists(mutated([ROWS[name](n) for n in range(9)], FIELDS), max_size=4))
    ends = data.draw(st.sampled_from([b"\n", b"\r\n", b"\n \n"]))
    lines = [*rows(name, 10, 34).splitlines(), *(json.dumps(row).encode() for row in drawn)]
    file = ends.join(lines) + ends
    listed = judge(file, options=Options(content=False, line_only=True, format=name)).findings.listed()
    accepted = not any(f.severity == "error" and f.line is not None for f in listed)
    try:
        assert_divided(file, FORMATS[name], number_of_rows(5))
    except NotARow:
        assert not accepted


def test_a_line_that_is_no_row_is_named() -> None:
    """Files that were not judged before are refused at a broken line."""
    no_text = b'{"input_text": "", "output_text": "b"}'
    for broken in (
        b"{}",
        b"[]",
        no_text,
        b'{"input_text": "\xff", "output_text": "b"}',
        b'{"input_text": NaN}',
        b"{" * 2000,
    ):
        with pytest.raises(NotARow, match="line 31: "):
            held_out_of(io.BytesIO(rows("text", 0, 30) + broken + b"\n"), TEXT)


# --- memory -------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 9)), min_size=180, max_size=400))
def test_prompts_that_come_late_in_order_need_not_be_remembered(given_rows: list[tuple[int, int]]) -> None:
    """The choice among the candidates alone is the choice among all prompts."""

    def chosen(quota: Quota) -> HeldOut | None:
        prompts = Prompts(quota)
        for prompt, characters in given_rows:
            prompts.add(str(prompt), characters)
        try:
            return prompts.held_out()
        except CannotSplit:
            return None

    assert chosen(Quota(USUAL.size, 80)) == chosen(Quota(USUAL.size, None))


def test_the_training_side_comes_in_chunks() -> None:
    """A file of any size is split in the memory of a chunk and of the rows held out."""
    data = b"".join(line({**text(n), "output_text": "x" * 1000}) for n in range(2_000))
    sides = Sides(io.BytesIO(data), TEXT, held_out_of(io.BytesIO(data), TEXT))
    sizes = [len(chunk) for chunk in sides]
    assert len(sizes) > 5
    assert max(sizes) < CHUNK_BYTES + 2_000
    assert sum(sizes) + len(sides.evaluation) == len(data)


def test_memory_does_not_grow_with_the_file() -> None:
    """Of many different prompts only the candidates are kept."""
    prompts = Prompts()
    tracemalloc.start()
    for number in range(300_000):
        prompts.add(str(number), 10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held_out = prompts.held_out()
    assert peak < 8_000_000
    assert (held_out.rows, held_out.trained_rows) == (250, 299_750)
    assert held_out.trained_characters == 2_997_500
