"""PaLM and early Gemini rows: what is right, what is wrong, and that the fast path and the slow one agree on it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.datasets.formats.chat import CHAT
from droptune.datasets.formats.gemini_messages import GEMINI_MESSAGES
from droptune.datasets.formats.preference import CHAT_PREFERENCE, PREFERENCE
from droptune.datasets.formats.prompts import CHAT_PROMPTS, PROMPTS
from droptune.datasets.formats.text import TEXT
from droptune.datasets.formats.text_rationale import TEXT_RATIONALE
from droptune.datasets.rowformat import Batch, Problem, Remark, RowFormat
from droptune.datasets.rules import LANGUAGES, Rule, fill, kinds, read_yaml, rule

Row = dict[str, Any]

RATIONALE = {"rationale": "The user waits for a card."}
CANDIDATES = {"candidate_0": "Soon.", "candidate_1": "It arrives on Monday.", "choice": 0}


def turns(key: str, *roles: str) -> list[Row]:
    return [{key: role, "content": f"{role} says {n}"} for n, role in enumerate(roles)]


PAIR, GEMINI_PAIR = ("user", "assistant"), ("user", "model")
TEXT_ROW = {"input_text": "Where is my card?", "output_text": "card_arrival"}
RIGHT: list[tuple[RowFormat, Row]] = [
    (TEXT, TEXT_ROW),
    (TEXT_RATIONALE, {**TEXT_ROW, **RATIONALE}),
    (PROMPTS, {"input_text": "Where is my card?"}),
    (PREFERENCE, {"input_text": "Where is my card?", **CANDIDATES}),
    (CHAT, {"messages": turns("author", *PAIR, *PAIR)}),
    (CHAT, {"context": "A bank.", "messages": turns("author", *PAIR, *PAIR, *PAIR)}),
    (CHAT_PROMPTS, {"messages": turns("author", "user")}),
    (CHAT_PROMPTS, {"context": "A bank.", "messages": turns("author", *PAIR, "user")}),
    (CHAT_PREFERENCE, {"messages": turns("author", "user"), **CANDIDATES}),
    (CHAT_PREFERENCE, {"context": "A bank.", "messages": turns("author", *PAIR, "user"), **CANDIDATES}),
    (GEMINI_MESSAGES, {"messages": turns("role", *GEMINI_PAIR)}),
    (GEMINI_MESSAGES, {"messages": turns("role", "system", *GEMINI_PAIR, *GEMINI_PAIR)}),
]
FORMATS: dict[str, RowFormat] = {fmt.name: fmt for fmt, _ in RIGHT}
by_name = pytest.mark.parametrize("name", FORMATS)


def right_rows(name: str) -> list[Row]:
    return [row for fmt, row in RIGHT if fmt.name == name]


def keys(value: Any) -> int:
    """How many keys all objects in a value have."""
    if isinstance(value, dict):
        return len(value) + sum(map(keys, value.values()))
    return sum(map(keys, value)) if isinstance(value, list) else 0


def accepted(fmt: RowFormat, row: Any) -> bool:
    """Whether the fast path takes a row as right."""
    try:
        typed = msgspec.json.decode(msgspec.json.encode(row), type=fmt.row)
    except msgspec.ValidationError:
        return False
    batch = fmt.measure([typed])
    if isinstance(batch, Batch):
        return batch.keys == keys(row)
    assert batch == [0]
    return False


# --- the rules ---


FILES = ("text", "chat", "gemini_messages", "preference", "prompts")
# Some rules are about what rows say together.
OF_FILES = {"CHAT-PAIRS", "PREF-ALL-EQUAL", "PREF-CONFLICTING"}
OWN = {code: rule(code) for file in FILES for code in read_yaml(file)}


def format_of(defined: Rule, row: Row) -> RowFormat:
    """The format that a rule's example is judged as."""
    chat = "messages" in row
    return {
        "TEXT": TEXT,
        "RATIONALE": TEXT_RATIONALE,
        "CHAT": CHAT,
        "MESSAGES": GEMINI_MESSAGES,
        "PREF": CHAT_PREFERENCE if chat else PREFERENCE,
        "PROMPT": CHAT_PROMPTS if chat else PROMPTS,
    }[defined.code.partition("-")[0]]


@pytest.mark.parametrize("code", sorted(set(OWN) - OF_FILES))
def test_the_wrong_example_has_this_fault_and_no_other_and_the_right_one_none(code: str) -> None:
    """Each rule is broken by its wrong example alone, and its right example breaks no rule."""
    own = OWN[code]
    wrong, right = json.loads(own.wrong), json.loads(own.right)
    assert [problem.code for problem in format_of(own, wrong).problems(wrong)] == [code]
    assert list(format_of(own, right).problems(right)) == []


@pytest.mark.parametrize("code", sorted(set(OWN) - OF_FILES))
def test_a_finding_is_worded_completely_in_every_language(code: str) -> None:
    """The values of a problem fill every place of its rule's texts, and its kind is in the vocabulary."""
    own = OWN[code]
    row = json.loads(own.wrong)
    (problem,) = format_of(own, row).problems(row)
    assert own.kind in kinds()
    for language in LANGUAGES:
        for text in (own.message, own.allowed, own.fix):
            assert not re.search(r"\{[a-z_]+\}", fill(text[language], problem.values))


# --- what is wrong ---


def found(fmt: RowFormat, row: Row) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in fmt.problems(row)]


@pytest.mark.parametrize("choice", ["1", "0", True, False, 1.0, None, [1], {"better": 1}])
def test_a_choice_of_another_type_is_a_wrong_type(choice: Any) -> None:
    """A text, a truth value, a decimal or null is no choice, in the typed decode as in the rules."""
    row = {"input_text": "Hi", **CANDIDATES, "choice": choice}
    assert found(PREFERENCE, row) == [("PREF-CHOICE-TYPE", "/choice")]
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(row), type=PREFERENCE.row)


@pytest.mark.parametrize("choice", [2, -1, 10**30])
def test_a_choice_that_is_another_number_is_a_bad_value(choice: int) -> None:
    """Whole numbers except 0 and 1 are of the right type and not allowed."""
    assert found(PREFERENCE, {"input_text": "Hi", **CANDIDATES, "choice": choice}) == [("PREF-CHOICE", "/choice")]


@pytest.mark.parametrize("choice", [0, 1])
def test_both_choices_are_right(choice: int) -> None:
    """0 is a choice although it is falsy."""
    assert accepted(PREFERENCE, {"input_text": "Hi", **CANDIDATES, "choice": choice})


@pytest.mark.parametrize(
    ("fmt", "key", "role", "meant"),
    [
        (CHAT, "author", "model", "assistant"),
        (CHAT, "author", "AI", "assistant"),
        (CHAT, "author", "Assistant", "assistant"),
        (CHAT_PROMPTS, "author", "bot", "assistant"),
        (GEMINI_MESSAGES, "role", "assistant", "model"),
    ],
)
def test_a_role_in_another_familys_words_is_named(fmt: RowFormat, key: str, role: str, meant: str) -> None:
    """Another family's word for a role is one finding, which says the right word, and none about order."""
    row = {"messages": turns(key, "user", role, "user", meant)}
    if fmt is CHAT_PROMPTS:
        row["messages"].append({key: "user", "content": "And?"})
    (problem,) = fmt.problems(row)
    assert problem.code.endswith("-ROLE-NAME")
    assert problem.pointer == f"/messages/1/{key}"
    assert problem.values["role"] == meant


@pytest.mark.parametrize("role", ["system", "narrator", "", "tool"])
def test_a_role_that_means_nothing_here_is_unknown(role: str) -> None:
    """PaLM chat has no system turn, and no word of another family stands for it."""
    row = {"messages": turns("author", role, *PAIR, *PAIR)}
    assert found(CHAT, row) == [("CHAT-ROLE", "/messages/0/author")]


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (("system",), [("MESSAGES-LAST-TURN", "/messages")]),
        (("system", "model"), [("MESSAGES-FIRST-TURN", "/messages/1")]),
        (("system", "system", *GEMINI_PAIR), [("MESSAGES-SYSTEM-POSITION", "/messages/1")]),
        ((*GEMINI_PAIR, "system"), [("MESSAGES-SYSTEM-POSITION", "/messages/2")]),
        (
            ("user", "system", "user", "model", "user"),
            [
                ("MESSAGES-SYSTEM-POSITION", "/messages/1"),
                ("MESSAGES-ROLE-ORDER", "/messages/2"),
                ("MESSAGES-LAST-TURN", "/messages/4"),
            ],
        ),
    ],
)
def test_order_is_judged_among_the_turns_that_are_not_the_systems(
    roles: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """A system turn in the wrong place is said, and the others are judged as if it were not there."""
    assert found(GEMINI_MESSAGES, {"messages": turns("role", *roles)}) == expected


@pytest.mark.parametrize("pairs", [1, 4])
def test_an_unusual_number_of_pairs_is_noted(pairs: int) -> None:
    """Chats outside of 2 to 3 pairs are trained on, so this is a note; it has the number."""
    usual, unusual = ({"messages": turns("author", *PAIR * number)} for number in (2, pairs))
    batch = CHAT.measure(msgspec.convert([usual, unusual, unusual], list[CHAT.row]))
    assert isinstance(batch, Batch) and CHAT.remarks is not None
    problem = Problem("CHAT-PAIRS", "/messages", {"found": pairs, "least": 2, "most": 3})
    assert list(CHAT.remarks(batch)) == [Remark(problem, 1, 2)]
    assert "{" not in "".join(fill(rule("CHAT-PAIRS").message[each], problem.values) for each in LANGUAGES)


def test_everything_wrong_with_a_row_is_said_at_once() -> None:
    """One pass lists the faults of every field and turn of a row, each with its place."""
    row = {"id": 7, "context": 1, "messages": ["Hi", {"author": "bot", "content": " ", "time": 3}], "choice": 1}
    assert found(CHAT, row) == [
        ("CHAT-CONTEXT-TYPE", "/context"),
        ("CHAT-TURN-TYPE", "/messages/0"),
        ("CHAT-ROLE-NAME", "/messages/1/author"),
        ("CHAT-EMPTY-CONTENT", "/messages/1/content"),
        ("CHAT-UNKNOWN-FIELD", "/messages/1/time"),
        ("CHAT-UNKNOWN-FIELD", "/id"),
        ("CHAT-UNKNOWN-FIELD", "/choice"),
    ]


# --- the fast path ---


@by_name
def test_right_rows_take_the_fast_path(name: str) -> None:
    """Rows without fault are measured by columns and have no problems."""
    for row in right_rows(name):
        assert list(FORMATS[name].problems(row)) == []
        assert accepted(FORMATS[name], row)


@by_name
def test_no_rows_are_measured_too(name: str) -> None:
    """A block of which no row is left has empty columns."""
    batch = FORMATS[name].measure([])
    assert isinstance(batch, Batch)
    assert (list(batch.hashed), len(batch.prompt), len(batch.answer)) == ([], 0, 0)


WORDS = ["user", "assistant", "model", "system", "AI", "Soon.", "Later.", "1", "", " ", "\u3000\t"]
ODD = [*WORDS, None, True, False, 0, 1, 2, -1, 1.0, 0.5, 10**20, [], {}, ["Hi"], {"content": "Hi"}]


def places(value: Any) -> Iterator[dict[str, Any] | list[Any]]:
    """Every object and list in a value that has something in it, the value included."""
    if value and isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from places(inner)


@st.composite
def mutated(draw: st.DrawFn, name: str) -> Row:
    """A right row of a format after up to three changes anywhere in it, which may leave it right."""
    row = copy.deepcopy(draw(st.sampled_from(right_rows(name))))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(list(places(row)) or [row]))
        if isinstance(place, dict):
            names = [*place, "context", "messages", "rationale", "id"]
            key = draw(st.sampled_from(names))
            place[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            if draw(st.booleans()):
                del place[draw(st.sampled_from(list(place)))]
        else:
            start, stop = draw(st.integers(0, len(place))), draw(st.integers(0, len(place)))
            if draw(st.booleans()):
                place[start:start] = copy.deepcopy(place[start:stop])
            else:
                del place[start:stop]
    return row


@by_name
@given(data=st.data())
def test_the_fast_path_takes_a_row_exactly_when_it_has_no_problem(name: str, data: st.DataObject) -> None:
    """Typed decode, columns and number of keys accept the same rows as the rules, in both directions."""
    row = data.draw(mutated(name))
    assert accepted(FORMATS[name], row) == (not list(FORMATS[name].problems(row)))


wild = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@by_name
@settings(max_examples=25)
@given(data=st.data())
def test_any_object_is_judged(name: str, data: st.DataObject) -> None:
    """Objects of any content give problems that have a rule, and never an exception."""
    row = data.draw(st.dictionaries(st.sampled_from(["messages", "input_text", "choice", "x/y~"]), wild))
    codes = {problem.code for problem in FORMATS[name].problems(row)}
    assert codes <= OWN.keys()
    assert accepted(FORMATS[name], row) == (not codes)


@by_name
@settings(max_examples=40)
@given(data=st.data())
def test_doubtful_rows_are_told_from_their_neighbours(name: str, data: st.DataObject) -> None:
    """Of many rows exactly those are doubtful that would be so alone."""
    fmt = FORMATS[name]
    rows = []
    for row in data.draw(st.lists(mutated(name), min_size=1, max_size=6)):
        try:
            rows.append(msgspec.json.decode(msgspec.json.encode(row), type=fmt.row))
        except msgspec.ValidationError:
            continue
    if rows:
        alone = [at for at, row in enumerate(rows) if not isinstance(fmt.measure([row]), Batch)]
        together = fmt.measure(rows)
        assert ([] if isinstance(together, Batch) else together) == alone


said = st.text(min_size=1, max_size=12).filter(str.strip)


@st.composite
def worded(draw: st.DrawFn, name: str) -> Row:
    """A right row of a format with other words."""
    row = copy.deepcopy(draw(st.sampled_from(right_rows(name))))
    for place in places(row):
        if isinstance(place, dict):
            for key in place.keys() - {"messages", "author", "role", "choice"}:
                place[key] = draw(said)
    if "choice" in row:
        row["choice"] = draw(st.integers(0, 1))
        row["candidate_1"] += row["candidate_0"]
    return row


def texts_of(row: Row) -> dict[str, list[str]]:
    """Every text of a right row by the name that statistics show."""
    spoken: dict[str, list[str]] = {}
    for turn in row.get("messages", []):
        spoken.setdefault(turn.get("author") or turn["role"], []).append(turn["content"])
    return {key: [value] for key, value in row.items() if key not in ("messages", "choice")} | spoken


@by_name
@settings(max_examples=25)
@given(data=st.data())
def test_columns_say_what_the_rows_say(name: str, data: st.DataObject) -> None:
    """Lengths, texts, turns, choices and keys of a batch are those of its rows."""
    fmt = FORMATS[name]
    rows = data.draw(st.lists(worded(name), min_size=1, max_size=8))
    batch = fmt.measure([msgspec.json.decode(msgspec.json.encode(row), type=fmt.row) for row in rows])
    assert isinstance(batch, Batch)
    assert np.broadcast_to(batch.keys, len(rows)).tolist() == list(map(keys, rows))

    fields: dict[str, list[int]] = {}
    for row in rows:
        for field, texts in texts_of(row).items():
            fields.setdefault(field, []).extend(map(len, texts))
    measured = {field: sorted(lengths.tolist()) for field, lengths in batch.fields.items() if len(lengths)}
    assert measured == {field: sorted(lengths) for field, lengths in fields.items()}
    whole = [sum(len(text) for texts in texts_of(row).values() for text in texts) for row in rows]
    assert (batch.prompt + batch.answer).tolist() == whole
    assert batch.choices is None or list(batch.choices) == [row["choice"] for row in rows]

    if "messages" in rows[0]:
        assert batch.turns is not None
        assert batch.turns.tolist() == [len(row["messages"]) for row in rows]
        users = [[t["content"] for t in row["messages"] if "user" in t.values()][-1] for row in rows]
        assert list(batch.hashed) == users
    else:
        assert list(batch.hashed) == [row["input_text"] for row in rows]
    if fmt.has_answer and batch.choices is None:
        answers = [row["messages"][-1]["content"] if "messages" in row else row["output_text"] for row in rows]
        assert batch.answers is not None
        assert list(batch.answers) == answers
    else:
        assert batch.answers is None
    if not fmt.has_answer:
        assert not batch.answer.any()


@by_name
def test_columns_are_compact(name: str) -> None:
    """All lengths are 32-bit integers: many blocks of them are kept."""
    fmt = FORMATS[name]
    batch = fmt.measure([msgspec.convert(row, fmt.row) for row in right_rows(name)])
    assert isinstance(batch, Batch)
    columns = [batch.prompt, batch.answer, *batch.fields.values(), *([] if batch.turns is None else [batch.turns])]
    assert {str(column.dtype) for column in columns} == {"int32"}
