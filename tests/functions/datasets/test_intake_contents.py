"""Rows with `contents`: every rule by its examples, and the fast path's agreement with the rules."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.datasets.formats.contents import Conversed
from droptune.datasets.formats.gemini_contents import GEMINI_CONTENTS, Part, Row
from droptune.datasets.formats.gemini_preference import GEMINI_PREFERENCE
from droptune.datasets.formats.gemini_prompts import GEMINI_PROMPTS
from droptune.datasets.formats.open_contents import OPEN_CONTENTS
from droptune.datasets.formats.reinforcement import REINFORCEMENT
from droptune.datasets.rowformat import Batch, RowFormat
from droptune.datasets.rules import LANGUAGES, Rule, kinds, read_yaml, rule

FILES = ("gemini_contents", "gemini_preference", "reinforcement")
RULES = [rule(code) for name in FILES for code in read_yaml(name)]
FORMATS = (GEMINI_CONTENTS, GEMINI_PROMPTS, GEMINI_PREFERENCE, REINFORCEMENT, OPEN_CONTENTS)
ANSWERED = (GEMINI_CONTENTS, OPEN_CONTENTS)


def format_of(definition: Rule) -> RowFormat:
    """The format whose rows a rule's examples are."""
    if definition.code == "GEMINI-PROMPT-LAST-TURN":
        return GEMINI_PROMPTS
    return {"GEMINI": GEMINI_CONTENTS, "GPREF": GEMINI_PREFERENCE, "RL": REINFORCEMENT}[definition.code.split("-")[0]]


def said(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text} for text in texts]}


def codes(fmt: RowFormat, row: Any) -> list[str]:
    return [problem.code for problem in fmt.problems(row)]


def keys_in(value: Any) -> int:
    """The keys of all objects in a value."""
    if isinstance(value, dict):
        return len(value) + sum(keys_in(each) for each in value.values())
    return sum(keys_in(each) for each in value) if isinstance(value, list) else 0


def counted(fmt: RowFormat, row: Any) -> bool:
    """Whether the fast path takes a row for right: it decodes, is measured, and has no more keys than it should."""
    try:
        typed = msgspec.json.decode(json.dumps(row), type=fmt.row)
    except msgspec.ValidationError:
        return False
    measured = fmt.measure([typed])
    assert isinstance(measured, Batch) or measured == [0]
    return isinstance(measured, Batch) and keys_of(measured) == [keys_in(row)]


def keys_of(batch: Batch) -> list[int]:
    """The keys of each row of a batch."""
    return list(np.asarray(batch.keys))


def measured(fmt: RowFormat, *rows: Any) -> Batch:
    batch = fmt.measure([msgspec.json.decode(json.dumps(row), type=fmt.row) for row in rows])
    assert isinstance(batch, Batch)
    return batch


# --- the table of rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("definition", RULES, ids=lambda definition: definition.code)
def test_the_wrong_example_of_a_rule_breaks_it(definition: Rule) -> None:
    """Each rule finds what it shows as wrong, with all values that its words name, and is of a known kind."""
    found = [p for p in format_of(definition).problems(json.loads(definition.wrong)) if p.code == definition.code]
    assert found
    assert definition.kind in kinds()
    for language in LANGUAGES:
        for words in (definition.message, definition.allowed, definition.fix):
            assert set(re.findall(r"\{([a-z_]+)\}", words[language])) <= set(found[0].values)


@pytest.mark.parametrize("definition", RULES, ids=lambda definition: definition.code)
def test_the_wrong_example_has_no_other_error(definition: Rule) -> None:
    """What a rule shows as wrong is wrong by that rule alone, warnings and notes aside."""
    found = codes(format_of(definition), json.loads(definition.wrong))
    assert {code for code in found if rule(code).severity == "error"} <= {definition.code}


@pytest.mark.parametrize("definition", RULES, ids=lambda definition: definition.code)
def test_the_right_example_of_a_rule_is_right(definition: Rule) -> None:
    """What a rule shows as right has no finding, but that of function calls is remarked to be no text."""
    assert set(codes(format_of(definition), json.loads(definition.right))) <= {"GEMINI-PART-NOT-TEXT"}


# --- what rules decide -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fmt", "answers", "other"), [(GEMINI_CONTENTS, "model", "assistant"), (OPEN_CONTENTS, "assistant", "model")]
)
def test_the_answering_role_has_another_name_in_each_format(fmt: RowFormat, answers: str, other: str) -> None:
    """Gemini answers as `model`, open models as `assistant`; the other name can be corrected."""
    assert codes(fmt, {"contents": [said("user", "Hi"), said(answers, "Hello")]}) == []
    problems = list(fmt.problems({"contents": [said("user", "Hi"), said(other, "Hello")]}))
    assert [(p.code, p.pointer, p.values["meant"]) for p in problems] == [("GEMINI-ROLE", "/contents/1/role", answers)]
    assert rule("GEMINI-ROLE").remedy == "correct"


@pytest.mark.parametrize("role", ["user", "function"])
def test_a_function_response_may_come_from_either_role(role: str) -> None:
    """A function's response is a turn of `user` or of `function`, between two turns of the model."""
    call = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
    response = {"role": role, "parts": [{"functionResponse": {"name": "f", "response": {}}}]}
    tools = [{"functionDeclarations": [{"name": "f"}]}]
    row = {"tools": tools, "contents": [said("user", "Go"), call, response, said("model", "Done")]}
    assert set(codes(GEMINI_CONTENTS, row)) == {"GEMINI-PART-NOT-TEXT"}


def test_media_stand_beside_text_and_may_say_which_seconds_they_mean() -> None:
    """A file part with `videoMetadata` and the row's media resolution are right."""
    video = {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/a.mp4"}, "videoMetadata": {"startOffset": "5s"}}
    row = {
        "contents": [{"role": "user", "parts": [video, {"text": "What is it?"}]}, said("model", "A cat")],
        "generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"},
    }
    assert codes(GEMINI_CONTENTS, row) == ["GEMINI-PART-NOT-TEXT"]


def test_snake_case_is_read_and_remarked() -> None:
    """A part or system instruction in the spelling of protocol buffers is judged as in the documented one."""
    part = {"file_data": {"mime_type": "image/png", "file_uri": "http://x"}}
    row = {"system_instruction": 1, "contents": [{"role": "user", "parts": [part]}, said("model", "A cat")]}
    assert sorted(set(codes(GEMINI_CONTENTS, row))) == [
        "GEMINI-FILE-URI",
        "GEMINI-PART-NOT-TEXT",
        "GEMINI-SNAKE-CASE",
        "GEMINI-SYSTEM-TYPE",
    ]


@pytest.mark.parametrize("score", [True, "1", 1.0, None])
def test_a_score_is_a_whole_number(score: Any) -> None:
    """Scores that other programs take for 0 and 1 are refused by their type."""
    row = preference_row("Yes", "No")
    row["completions"][0]["score"] = score
    assert codes(GEMINI_PREFERENCE, row) == ["GPREF-SCORE-TYPE"]
    assert not counted(GEMINI_PREFERENCE, row)


def test_a_tie_is_found_and_two_scores_are_not() -> None:
    """Equal scores prefer nothing; either order of 1 and 0 is right."""
    for scores, expected in {(1, 1): ["GPREF-TIE"], (0, 0): ["GPREF-TIE"], (1, 0): [], (0, 1): []}.items():
        row = preference_row("Yes", "No", scores)
        assert codes(GEMINI_PREFERENCE, row) == expected
        assert counted(GEMINI_PREFERENCE, row) is not bool(expected)


# --- the fast path -----------------------------------------------------------------------------------------------


def preference_row(first: str, second: str, scores: tuple[int, int] = (1, 0)) -> dict[str, Any]:
    completions = [{"score": s, "completion": said("model", t)} for s, t in zip(scores, (first, second), strict=True)]
    return {"contents": [said("user", "Well?")], "completions": completions}


def test_the_columns_of_answered_rows() -> None:
    """Lengths are in characters, the system instruction counts to the prompt, parts of a turn are one text."""
    short = {"contents": [said("user", "Hi"), said("model", "Hello")]}
    long = {
        "systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
        "contents": [said("user", "a", "bc"), said("model", "d"), said("user", "efg"), said("model", "hijk", "l")],
    }
    batch = measured(GEMINI_CONTENTS, short, long)
    assert keys_of(batch) == [keys_in(short), keys_in(long)]
    assert list(batch.hashed) == ["Hi", "efg"]
    assert batch.prompt.tolist() == [2, 9 + 3 + 1 + 3]
    assert batch.answer.tolist() == [5, 5]
    assert batch.answers == ["Hello", "hijkl"]
    assert batch.turns is not None and batch.turns.tolist() == [2, 4]
    assert {name: sizes.tolist() for name, sizes in batch.fields.items()} == {
        "systemInstruction": [9],
        "user": [2, 3, 3],
        "model": [5, 1, 5],
    }


def test_the_columns_of_prompts() -> None:
    """All of a prompt comes before the answer, which it has not; turns keep their roles in rows of any length."""
    rows = [
        {"contents": [said("user", "Hi")]},
        {"contents": [said("user", "a"), said("model", "bc"), said("user", "def")]},
    ]
    batch = measured(GEMINI_PROMPTS, *rows)
    assert (list(batch.hashed), batch.prompt.tolist(), batch.answer.tolist()) == (["Hi", "def"], [2, 6], [0, 0])
    assert {name: sizes.tolist() for name, sizes in batch.fields.items()} == {"user": [2, 1, 3], "model": [2]}
    assert batch.answers is None


def test_the_columns_of_preferences() -> None:
    """The answer is both completions, the choice the position of the one with score 1."""
    batch = measured(GEMINI_PREFERENCE, preference_row("Yes", "No"), preference_row("abcd", "e", (0, 1)))
    assert batch.choices is not None and batch.choices.tolist() == [0, 1]
    assert batch.answer.tolist() == [5, 5]
    assert batch.fields["completion"].tolist() == [3, 2, 4, 1]
    assert batch.answers is None


def test_the_columns_of_reinforcement_rows() -> None:
    """References add keys and nothing to the lengths."""
    row = {"contents": [said("user", "6 × 7?")], "references": {"answer": "42", "unit": "none"}}
    batch = measured(REINFORCEMENT, row)
    assert (keys_of(batch), batch.prompt.tolist()) == ([keys_in(row)], [6])


def test_tools_and_settings_are_counted() -> None:
    """The keys within `tools` and `generationConfig` belong to a right row."""
    row = {
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
        "generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_HIGH"},
        "contents": [said("user", "Hi"), said("model", "Hello")],
    }
    assert counted(GEMINI_CONTENTS, row) and codes(GEMINI_CONTENTS, row) == []


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_no_rows_are_a_batch_of_none(fmt: RowFormat) -> None:
    """An empty block is measured as such."""
    assert keys_of(measured(fmt)) == []


def test_only_the_doubtful_rows_of_a_block_are_named() -> None:
    """Among right rows, those of other kinds or with a fault are given by their positions."""
    right: dict[str, Any] = {"contents": [said("user", "Hi"), said("model", "Hello")]}
    blank = {"contents": [said("user", "Hi"), said("model", " ")]}
    system = {**right, "systemInstruction": {"parts": []}}
    file = {"contents": [{"role": "user", "parts": [{"fileData": {}}]}, said("model", "Hello")]}
    rows = [right, blank, right, system, file, {"contents": []}, right]
    typed = [msgspec.convert(row, Row) for row in rows]
    assert GEMINI_CONTENTS.measure(typed) == [1, 3, 4, 5]


def test_rows_and_parts_can_be_imported_from_the_format() -> None:
    """What evaluation reads of a row: its turns, its system instruction if any, and the text of parts if any."""
    row = msgspec.json.decode(b'{"contents": [{"role": "user", "parts": [{"fileData": {}}]}]}', type=Row)
    assert isinstance(row, Conversed) and row.systemInstruction is msgspec.UNSET
    assert isinstance(row.contents[0].parts[0], Part) and row.contents[0].parts[0].text is msgspec.UNSET


# --- agreement ---------------------------------------------------------------------------------------------------

texts = st.sampled_from(["Hi", "a b", "\u3000x", "é", "", " ", "\n\u3000"]) | st.text(max_size=3).map(
    lambda text: text.encode("utf-8", "ignore").decode()
)
said_texts = texts.filter(lambda text: bool(text.strip()))
names = [
    "text",
    "role",
    "parts",
    "fileData",
    "contents",
    "score",
    "completion",
    "references",
    "id",
    "system_instruction",
]
leaves = st.none() | st.booleans() | st.integers(-1, 3) | st.just(1.0) | texts | st.sampled_from(["model", "user"])
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names) | texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def right_rows(draw: st.DrawFn, fmt: RowFormat) -> dict[str, Any]:
    """Rows of text that keep all rules of a format."""
    answers = "assistant" if fmt is OPEN_CONTENTS else "model"

    def turn(role: str) -> dict[str, Any]:
        return said(role, *draw(st.lists(said_texts, min_size=1, max_size=2)))

    rounds = draw(st.integers(0 if fmt not in ANSWERED else 1, 2))
    turns = [turn(role) for _ in range(rounds) for role in ("user", answers)]
    row: dict[str, Any] = {"contents": turns if fmt in ANSWERED else [*turns, turn("user")]}
    if draw(st.booleans()):
        row["systemInstruction"] = {**draw(st.sampled_from([{}, {"role": "system"}])), "parts": turn("x")["parts"]}
    if draw(st.integers(0, 4)) == 0:
        row["tools"] = [{"functionDeclarations": [{"name": "f"}]}]
    if fmt is GEMINI_PREFERENCE:
        score = draw(st.integers(0, 1))
        first, second = turn("model"), turn("model")
        second["parts"].append({"text": "or else " + "".join(part["text"] for part in first["parts"])})
        row["completions"] = [{"score": score, "completion": first}, {"score": 1 - score, "completion": second}]
    if fmt is REINFORCEMENT:
        row["references"] = draw(st.dictionaries(st.sampled_from(["answer", "b_2"]), said_texts, min_size=1))
    return row


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value with each of its keys or positions."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places(inner)


@st.composite
def mutated_rows(draw: st.DrawFn, fmt: RowFormat) -> dict[str, Any]:
    """Right rows of a format in which some things were replaced, removed, added or repeated."""
    row = copy.deepcopy(draw(right_rows(draw(st.sampled_from(FORMATS)) if draw(st.integers(0, 3)) == 0 else fmt)))
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(row))
        if not found:
            break
        container, key = draw(st.sampled_from(found))
        change = draw(st.sampled_from(["replace", "remove", "add", "repeat"]))
        if change == "replace":
            container[key] = draw(anything)
        elif change == "remove":
            del container[key]
        elif isinstance(container, dict):
            container[draw(st.sampled_from(names) | texts)] = draw(anything)
        else:
            container.insert(key, copy.deepcopy(container[key]) if change == "repeat" else draw(anything))
    return row


def only_text(row: Any) -> bool:
    """Whether all parts of a row are text; other kinds may be right too, but are looked at one by one."""
    return not any(key in ("fileData", "inlineData", "functionCall", "functionResponse") for _, key in places(row))


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_the_fast_path_and_the_rules_agree(fmt: RowFormat) -> None:
    """A row that the fast path counts has no problem, a row of text without problem is counted, and one without error
    has its type all the same."""

    @given(mutated_rows(fmt))
    def agree(row: dict[str, Any]) -> None:
        found = codes(fmt, row)
        if counted(fmt, row):
            assert found == []
        elif only_text(row):
            assert found != []
        if not any(rule(code).severity == "error" for code in found):
            example = fmt.example(msgspec.convert(row, fmt.row))
            assert isinstance(example.prompt, str) and isinstance(example.answer, str)

    agree()


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_right_rows_are_counted_together(fmt: RowFormat) -> None:
    """Any right rows make one batch, whose columns fit each other and the rows read as text."""

    @given(st.lists(right_rows(fmt), min_size=1, max_size=4))
    def fit(rows: list[dict[str, Any]]) -> None:
        batch = measured(fmt, *rows)
        typed = [msgspec.convert(row, fmt.row) for row in rows]
        examples = [fmt.example(row) for row in typed]
        assert keys_of(batch) == list(map(keys_in, rows))
        assert len(batch.hashed) == len(batch.prompt) == len(batch.answer) == len(rows)
        assert sum(map(int, batch.prompt)) + sum(map(int, batch.answer)) == sum(
            int(sizes.sum()) for sizes in batch.fields.values()
        )
        assert all(example.prompt.endswith(last) for example, last in zip(examples, batch.hashed, strict=True))
        if batch.answers is not None:
            assert [example.answer for example in examples] == list(batch.answers)

    fit()


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_any_object_is_judged(fmt: RowFormat) -> None:
    """Objects of any shape give problems with known codes, and no exception."""

    @given(st.dictionaries(st.sampled_from(names) | texts, anything, max_size=4))
    def judged(row: dict[str, Any]) -> None:
        for code in codes(fmt, row):
            assert rule(code)

    judged()


@pytest.mark.parametrize("fmt", [fmt for fmt in FORMATS if fmt.usual is not None], ids=lambda fmt: fmt.name)
def test_usual_rows_are_read_as_all_rows_are(fmt: RowFormat) -> None:
    """A row that the quicker type takes has the same columns and the same texts as in the type of all rows."""
    assert fmt.usual is not None
    quick, whole = (msgspec.json.Decoder(each) for each in (fmt.usual, fmt.row))

    @given(right_rows(fmt) | mutated_rows(fmt))
    def agree(row: dict[str, Any]) -> None:
        text = json.dumps(row)
        try:
            usual = quick.decode(text)
        except msgspec.ValidationError:
            return
        other = whole.decode(text)
        batch = fmt.measure([other])
        assert str(fmt.measure([usual])) == str(batch)
        if isinstance(batch, Batch):
            assert fmt.example(usual) == fmt.example(other)
        assert msgspec.json.encode(usual) == msgspec.json.encode(other)

    agree()


@pytest.mark.parametrize("place", [("contents", 0), ("contents", 0, "parts", 0), ()])
def test_the_quicker_type_takes_no_other_fields(place: tuple[str | int, ...]) -> None:
    """A field that the quicker type does not have is refused by it, wherever it stands: it may be one that is read."""
    row: dict[str, Any] = {"contents": [said("user", "Hi"), said("model", "Hello")]}
    at: Any = row
    for key in place:
        at = at[key]
    at["fileData"] = {}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(row), type=GEMINI_CONTENTS.usual)
