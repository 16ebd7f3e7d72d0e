"""Rows as prompts and answers, and what the training rows say about the task."""

from __future__ import annotations

import pytest
from fakes import MemoryObjects
from hypothesis import given
from hypothesis import strategies as st
from run_facts import stored, text_rows

from droptune.errors import Refused
from droptune.evaluation.examples import MAX_LABELS, Example, held_out, profile, read_examples
from droptune.ports import Turn


def example(line: int, answer: str) -> Example:
    return Example(line, (Turn("user", f"row {line}"),), answer)


def test_each_format_gives_prompt_and_last_answer() -> None:
    """Text, early Gemini and Gemini rows that say the same are the same example."""
    objects = MemoryObjects()
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    contents = [{"role": "user", "parts": [{"text": "H"}, {"text": "i"}]}]
    answer = {"role": "model", "parts": [{"text": "Hello"}]}
    early = stored(objects, "m.jsonl", [{"messages": [*messages, {"role": "model", "content": "Hello"}]}])
    now = stored(
        objects,
        "c.jsonl",
        [{"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": [*contents, answer]}],
    )
    plain = stored(objects, "t.jsonl", text_rows([("Hi", "Hello")]))

    expected = Example(1, (Turn("system", "Be brief."), Turn("user", "Hi")), "Hello")
    assert list(read_examples(objects, early, "gemini_messages")) == [expected]
    assert list(read_examples(objects, now, "gemini_contents")) == [expected]
    assert list(read_examples(objects, plain, "text")) == [Example(1, (Turn("user", "Hi"),), "Hello")]


def test_earlier_turns_belong_to_the_prompt() -> None:
    """Of several answers in a row the last is expected and the others are context."""
    objects = MemoryObjects()
    turns = [("user", "a"), ("model", "b"), ("user", "c"), ("model", "d")]
    file = stored(objects, "c.jsonl", [{"messages": [{"role": role, "content": text} for role, text in turns]}])
    (row,) = read_examples(objects, file, "gemini_messages")
    assert [turn.text for turn in row.prompt] == ["a", "b", "c"]
    assert row.expected == "d"


def test_lines_are_physical() -> None:
    """Blank lines and a byte order mark are no rows, and blank lines still count."""
    objects = MemoryObjects()
    line = b'{"input_text": "a", "output_text": "b"}\n'
    objects.create("p-intake", "x.jsonl", b"\xef\xbb\xbf" + line + b"\n  \n" + line, "application/jsonl")
    found = objects.stat("p-intake", "x.jsonl")
    assert found is not None
    file = stored(objects, "y.jsonl", [])
    file = type(file)(bucket="p-intake", name="x.jsonl", generation=found.generation, rows=2, size_bytes=1)
    assert [row.line for row in read_examples(objects, file, "text")] == [1, 4]


@pytest.mark.parametrize(
    ("fmt", "row", "named"),
    [
        ("text", {"input_text": "secret"}, "line 1"),
        ("gemini_contents", {"contents": []}, "line 1"),
        (
            "gemini_contents",
            {
                "contents": [
                    {"role": "user", "parts": [{"fileData": {"fileUri": "gs://secret", "mimeType": "image/png"}}]},
                    {"role": "model", "parts": [{"text": "a cat"}]},
                ]
            },
            "a part is no text",
        ),
        (
            "preference",
            {"input_text": "secret"},
            "formats that can: text, ground_truth, gemini_messages",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_by_line(fmt: str, row: dict[str, object], named: str) -> None:
    """The refusal names file and line, or the formats that can be, and never repeats the row's text."""
    objects = MemoryObjects()
    file = stored(objects, "x.jsonl", [row])
    with pytest.raises(Refused, match=named) as refusal:
        list(read_examples(objects, file, fmt))  # type: ignore[arg-type]
    assert "secret" not in str(refusal.value)


def test_few_held_out_rows_are_all_used() -> None:
    """Up to the limit nothing is sampled and the order is that of the file."""
    objects = MemoryObjects()
    file = stored(objects, "x.jsonl", text_rows([(str(i), "a") for i in range(250)]))
    assert [row.line for row in held_out(objects, file, "text", 250)] == list(range(1, 251))


def test_many_held_out_rows_are_sampled_the_same_way_each_time() -> None:
    """Beyond the limit the sample is fixed by line numbers, spread over the file, and in file order."""
    objects = MemoryObjects()
    file = stored(objects, "x.jsonl", text_rows([(str(i), "a") for i in range(2000)]))
    lines = [row.line for row in held_out(objects, file, "text", 250)]
    assert lines == [row.line for row in held_out(objects, file, "text", 250)]
    assert len(set(lines)) == 250
    assert lines == sorted(lines)
    assert all(any(start < line <= start + 500 for line in lines) for start in range(0, 2000, 500))


def test_few_repeated_short_answers_make_a_classification() -> None:
    """Labels come stripped and sorted, with one candidate example for each."""
    found = profile(iter([example(1, "b"), example(2, "a"), example(3, " b\n"), example(4, "a")]))
    assert (found.task, found.labels, found.longest_answer_bytes) == ("classification", ("a", "b"), 3)
    assert sorted(row.expected.strip() for row in found.candidates) == ["a", "b"]


@pytest.mark.parametrize(
    "answers",
    [
        [f"label {i % (MAX_LABELS + 1)}" for i in range(3 * (MAX_LABELS + 1))],
        ["x" * 65, "y"] * 50,
        ["a", "b", "c"],
    ],
    ids=["more than 100 answers", "an answer over 64 characters", "less than two rows an answer"],
)
def test_anything_else_is_generation(answers: list[str]) -> None:
    """Too many, too long or too rarely repeated answers are no labels."""
    found = profile(example(line, answer) for line, answer in enumerate(answers, start=1))
    assert (found.task, found.labels) == ("generation", ())
    assert 0 < len(found.candidates) <= 40


@given(st.permutations([example(line, f"answer {line % 60}") for line in range(1, 100)]))
def test_a_profile_does_not_depend_on_order(rows: list[Example]) -> None:
    """The same rows in any order give the same profile."""
    assert profile(iter(rows)) == profile(iter(sorted(rows, key=lambda row: row.line)))
