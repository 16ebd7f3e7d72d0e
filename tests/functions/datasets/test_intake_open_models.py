"""Rows of open models, of evaluation sets, of batch prediction and of embeddings: what is right and what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_agreement import assert_agreement, assert_belongs, keys, mutated
from intake_wording import assert_sayable

from droptune.datasets.formats import detect
from droptune.datasets.formats.batch_requests import BATCH_REQUESTS
from droptune.datasets.formats.completion import COMPLETION, COMPLETION_PROMPTS
from droptune.datasets.formats.embedding_text import EMBEDDING_TEXT
from droptune.datasets.formats.ground_truth import GROUND_TRUTH
from droptune.datasets.formats.open_chat import OPEN_CHAT, OPEN_PROMPTS
from droptune.datasets.rowformat import Batch, Example, Problem, RowFormat
from droptune.datasets.rules import LANGUAGES, kinds, read_yaml, rule

Row = dict[str, Any]

PARTS = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "gs://b/a.png"}}]
USER, ASSISTANT = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}
SYSTEM = {"role": "system", "content": "Be brief."}
ASKED = {"role": "user", "parts": [{"text": "Hi"}]}
RIGHT: dict[RowFormat, list[Row]] = {
    OPEN_CHAT: [
        {"messages": [USER, ASSISTANT]},
        {"messages": [SYSTEM, USER, ASSISTANT, {"role": "user", "content": "Why?"}, ASSISTANT]},
        {"messages": [{"role": "user", "content": PARTS}, ASSISTANT]},
    ],
    OPEN_PROMPTS: [{"messages": [USER]}, {"messages": [SYSTEM, USER, ASSISTANT, USER]}],
    COMPLETION: [{"prompt": "Hi", "completion": "Hello!"}],
    COMPLETION_PROMPTS: [{"prompt": "Hi"}],
    GROUND_TRUTH: [{"prompt": "Hi", "ground_truth": "Hello!"}],
    BATCH_REQUESTS: [
        {"request": {"contents": [ASKED]}},
        {"request": {"contents": [ASKED], "generationConfig": {"temperature": 0, "thinkingConfig": {"budget": 1}}}},
        {
            "request": {
                "contents": [ASKED, {**ASKED, "role": "model"}, ASKED],
                "system_instruction": {"parts": [{"text": "Brief."}]},
            }
        },
        {"request": {"contents": [{"parts": [{"text": "Hi"}, {"file_data": {"file_uri": "gs://b/a.png"}}]}]}},
    ],
    EMBEDDING_TEXT: [{"_id": "d1", "text": "A card."}, {"_id": "d2", "title": "", "text": "A card."}],
}
OF_PREFIX = {
    "OPEN": OPEN_CHAT,
    "COMPLETION": COMPLETION,
    "TRUTH": GROUND_TRUTH,
    "BATCH": BATCH_REQUESTS,
    "EMBED": EMBEDDING_TEXT,
}
NAMES = ("messages", "role", "content", "prompt", "completion", "request", "contents", "parts", "text", "_id", "title")
# Rules of embeddings that are not about one row are tested with the labels.
CODES = [
    code
    for file in ("open_models", "evaluation", "embedding")
    for code in read_yaml(file)
    if code.partition("-")[0] in OF_PREFIX and rule(code).wrong.startswith("{")
]


def judged_as(code: str) -> RowFormat:
    return OPEN_PROMPTS if code == "OPEN-PROMPT-LAST-TURN" else OF_PREFIX[code.partition("-")[0]]


@pytest.mark.parametrize("file", ["open_models", "evaluation", "openai", "embedding"])
def test_both_languages_tell_the_same_values(file: str) -> None:
    """A value that one language names is named by the other, and no text is left untranslated."""
    for code in read_yaml(file):
        defined = rule(code)
        for words in (defined.title, defined.message, defined.allowed, defined.fix):
            places = [set(re.findall(r"\{([a-z_]+)\}", words[language])) for language in LANGUAGES]
            assert places[0] == places[1], code
            assert words["en"] != words["ja"] or words["en"] == "UTF-8", code


def fault_and_misnamed(fmt: RowFormat, code: str) -> list[Problem]:
    """What is wrong with a rule's example; a field that is missing may be there under another name."""
    problems = list(fmt.problems(json.loads(rule(code).wrong)))
    return [problem for problem in problems if problem.code == code or rule(problem.code).kind != "unknown_field"]


@pytest.mark.parametrize("code", CODES)
def test_an_example_has_the_fault_of_its_rule_alone(code: str) -> None:
    """The wrong example breaks its rule and no other, in words that can be said, and the right one breaks none."""
    fmt, defined = judged_as(code), rule(code)
    problems = fault_and_misnamed(fmt, code)
    assert_belongs(fmt, json.loads(defined.wrong))
    assert {problem.code for problem in problems} == {code}
    for problem in problems:
        assert_sayable(problem)
    assert defined.kind in kinds()
    assert list(fmt.problems(json.loads(defined.right))) == []


@pytest.mark.parametrize("fmt", RIGHT, ids=lambda fmt: fmt.name)
def test_right_rows_have_no_problem(fmt: RowFormat) -> None:
    """The rows of every format pass its rules, and those that are plain are counted by columns."""
    for row in RIGHT[fmt]:
        assert list(fmt.problems(row)) == []
        assert_agreement(fmt, row)
    assert detect(RIGHT[fmt][0]) == fmt.name
    batch = fmt.measure([msgspec.convert(RIGHT[fmt][0], fmt.row)] * 3)
    assert isinstance(batch, Batch)
    assert set(np.broadcast_to(batch.keys, 3)) == {keys(RIGHT[fmt][0])}


@pytest.mark.parametrize("fmt", RIGHT, ids=lambda fmt: fmt.name)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_fast_and_the_slow_path_agree(fmt: RowFormat, data: st.DataObject) -> None:
    """Whatever is changed in a right row, both ways to judge it come to the same result."""
    assert_agreement(fmt, data.draw(mutated(RIGHT[fmt], NAMES)))


def test_columns_of_a_chat_are_what_its_turns_say() -> None:
    """Lengths, answers and numbers of turns are counted for each row of a block."""
    rows = [msgspec.convert(row, OPEN_CHAT.row) for row in RIGHT[OPEN_CHAT][:2]]
    batch = OPEN_CHAT.measure(rows)
    assert isinstance(batch, Batch)
    assert batch.prompt.tolist() == [2, 9 + 2 + 6 + 4]
    assert batch.answer.tolist() == [6, 6]
    assert list(batch.hashed) == ["Hi", "Why?"]
    assert batch.answers == ["Hello!", "Hello!"]
    assert batch.turns is not None and batch.turns.tolist() == [2, 5]


def test_only_rows_that_are_not_plain_need_a_closer_look() -> None:
    """Of a block the positions of rows with parts or blank texts are given, the others not."""
    blank = {"messages": [USER, {"role": "assistant", "content": " "}]}
    given = [RIGHT[OPEN_CHAT][0], RIGHT[OPEN_CHAT][2], RIGHT[OPEN_CHAT][1], blank]
    assert OPEN_CHAT.measure([msgspec.convert(row, OPEN_CHAT.row) for row in given]) == [1, 3]


def test_an_example_reads_parts_as_text() -> None:
    """Parts of a content are joined, an image by its address."""
    row = msgspec.convert(RIGHT[OPEN_CHAT][2], OPEN_CHAT.row)
    assert OPEN_CHAT.example(row) == Example("What is it?\ngs://b/a.png", "Hello!")


def test_everything_wrong_with_a_row_is_listed() -> None:
    """One row with several faults gives a finding for each, with the place of each."""
    row = {"messages": [{"role": "bot", "content": 3}, {"role": "user", "content": [{"type": "video"}]}], "id": 1}
    assert {(problem.code, problem.pointer) for problem in OPEN_CHAT.problems(row)} == {
        ("OPEN-ROLE-NAME", "/messages/0/role"),
        ("OPEN-CONTENT-TYPE", "/messages/0/content"),
        ("OPEN-PART-KIND", "/messages/1/content/0"),
        ("OPEN-FIRST-TURN", "/messages/0"),
        ("OPEN-LAST-TURN", "/messages/1"),
        ("OPEN-UNKNOWN-FIELD", "/id"),
    }


def test_settings_of_a_request_are_counted_at_every_depth() -> None:
    """Keys within `generationConfig` count as keys of the row, so that such rows stay on the fast path."""
    row = RIGHT[BATCH_REQUESTS][1]
    batch = BATCH_REQUESTS.measure([msgspec.convert(row, BATCH_REQUESTS.row)])
    assert isinstance(batch, Batch)
    assert list(np.broadcast_to(batch.keys, 1)) == [keys(row)]


def test_settings_of_a_request_that_are_nested_deeply_need_a_closer_look() -> None:
    """A fast path that follows every nesting would end in a recursion error."""
    settings: Any = {}
    for _ in range(300):
        settings = {"responseSchema": [settings]}
    row = {"request": {"contents": [ASKED], "generationConfig": settings}}
    assert BATCH_REQUESTS.measure([msgspec.convert(row, BATCH_REQUESTS.row)]) == [0]


def test_a_title_is_part_of_the_text_that_is_embedded() -> None:
    """The length of a text is counted with its title, where there is one."""
    rows = [{"_id": "a", "title": "Card", "text": "Lost."}, {"_id": "b", "text": "Lost."}]
    batch = EMBEDDING_TEXT.measure([msgspec.convert(row, EMBEDDING_TEXT.row) for row in rows])
    assert isinstance(batch, Batch)
    assert batch.prompt.tolist() == [9, 5]
    assert batch.fields["title"].tolist() == [4]
