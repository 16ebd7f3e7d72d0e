"""OpenAI's rows for chats and preferences: what is right, what is wrong, and that both ways to judge a row agree."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_agreement import assert_agreement, assert_belongs, keys, mutated
from intake_wording import assert_sayable

from droptune.datasets.formats.openai_chat import OPENAI_CHAT
from droptune.datasets.formats.openai_preference import OPENAI_PREFERENCE
from droptune.datasets.rowformat import Batch, Example, RowFormat
from droptune.datasets.rules import kinds, read_yaml, rule

Row = dict[str, Any]

USER, ASSISTANT = {"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "On its way."}
DEVELOPER = {"role": "developer", "content": "Be brief."}
FIND = {"name": "find_card", "arguments": '{"kind": "visa"}'}
CALLS = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": FIND}]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "posted"}
TOOLS = [{"type": "function", "function": {"name": "find_card", "parameters": {"type": "object"}}}]
CALLED = {"messages": [USER, CALLS, RESULT, ASSISTANT], "tools": TOOLS, "parallel_tool_calls": False}
OUTPUTS = {"preferred_output": [ASSISTANT], "non_preferred_output": [{"role": "assistant", "content": "No idea."}]}
RIGHT: dict[RowFormat, list[Row]] = {
    OPENAI_CHAT: [
        {"messages": [USER, ASSISTANT]},
        {"messages": [DEVELOPER, USER, ASSISTANT, USER, ASSISTANT]},
        {"messages": [USER, {**ASSISTANT, "weight": 0}, USER, {**ASSISTANT, "weight": 1}]},
        CALLED,
        {"messages": [USER, CALLS], "tools": TOOLS},
        {"messages": [{**USER, "name": "ann"}, {"role": "assistant", "refusal": "No.", "tool_calls": None}]},
    ],
    OPENAI_PREFERENCE: [
        {"input": {"messages": [USER]}, **OUTPUTS},
        {"input": {"messages": [DEVELOPER, USER, ASSISTANT, USER]}, **OUTPUTS},
        {"input": {"messages": [USER, CALLS, RESULT], "tools": TOOLS}, **OUTPUTS},
    ],
}
OF_PREFIX = {"OPENAI": OPENAI_CHAT, "OPREF": OPENAI_PREFERENCE}
NAMES = ("messages", "role", "content", "tools", "tool_calls", "weight", "name", "tool_call_id", "refusal", "functions")
by_format = pytest.mark.parametrize("fmt", RIGHT, ids=lambda fmt: fmt.name)


def codes(row: Row, fmt: RowFormat = OPENAI_CHAT) -> list[str]:
    return [problem.code for problem in fmt.problems(row)]


@pytest.mark.parametrize("code", list(read_yaml("openai")))
def test_an_example_has_the_fault_of_its_rule(code: str) -> None:
    """The wrong example breaks its rule and no other by an error, in words that can be said; the right one none."""
    fmt, defined = OF_PREFIX[code.partition("-")[0]], rule(code)
    problems = list(fmt.problems(json.loads(defined.wrong)))
    assert_belongs(fmt, json.loads(defined.wrong))
    assert code in [problem.code for problem in problems]
    assert {problem.code for problem in problems if rule(problem.code).severity == "error"} <= {code}
    for problem in problems:
        assert_sayable(problem)
    assert defined.kind in kinds()
    assert codes(json.loads(defined.right), fmt) == []


@by_format
def test_right_rows_have_no_problem(fmt: RowFormat) -> None:
    """The rows of both formats pass their rules, and those of texts alone are counted by columns."""
    for row in RIGHT[fmt]:
        assert codes(row, fmt) == []
        assert_belongs(fmt, row)
        assert_agreement(fmt, row)
    for row in RIGHT[fmt][:2]:
        batch = fmt.measure([msgspec.convert(row, fmt.row)] * 3)
        assert isinstance(batch, Batch)
        assert set(np.broadcast_to(batch.keys, 3)) == {keys(row)}


@by_format
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_fast_and_the_slow_path_agree(fmt: RowFormat, data: st.DataObject) -> None:
    """Whatever is changed in a right row, both ways to judge it come to the same result."""
    assert_agreement(fmt, data.draw(mutated(RIGHT[fmt], NAMES)))


def test_rows_with_tools_or_weights_need_a_closer_look() -> None:
    """Only the rows of texts alone are counted by columns."""
    rows = [msgspec.convert(row, OPENAI_CHAT.row) for row in RIGHT[OPENAI_CHAT]]
    assert OPENAI_CHAT.measure([rows[0], *rows[2:]]) == [1, 2, 3, 4]


def test_a_preference_counts_both_outputs_and_chooses_the_first() -> None:
    """The answer of a preference is as long as both outputs, and the better of them is candidate 0."""
    batch = OPENAI_PREFERENCE.measure([msgspec.convert(RIGHT[OPENAI_PREFERENCE][0], OPENAI_PREFERENCE.row)])
    assert isinstance(batch, Batch)
    assert batch.answer.tolist() == [len("On its way.") + len("No idea.")]
    assert batch.choices is not None and batch.choices.tolist() == [0]


def test_an_example_shows_a_call_as_text() -> None:
    """Where the assistant says nothing, what it calls stands for its answer."""
    example = OPENAI_CHAT.example(msgspec.convert(RIGHT[OPENAI_CHAT][4], OPENAI_CHAT.row))
    assert example == Example("Where is it?", msgspec.json.encode(CALLS["tool_calls"]).decode())


def test_every_call_needs_a_result_and_every_result_a_call() -> None:
    """Two calls with one result leave one unanswered; a call that ends the chat is what is learned."""
    two = [{"id": name, "type": "function", "function": FIND} for name in ("c1", "c2")]
    calls = {"role": "assistant", "tool_calls": two}
    assert codes({"messages": [USER, calls, RESULT, ASSISTANT], "tools": TOOLS}) == ["OPENAI-CALL-UNANSWERED"]
    assert codes({"messages": [USER, calls, RESULT, {**RESULT, "tool_call_id": "c2"}, ASSISTANT], "tools": TOOLS}) == []
    assert codes({"messages": [USER, calls], "tools": TOOLS}) == []


@pytest.mark.parametrize("weight", [0, 1, 1.0, None])
def test_weights_of_zero_and_one_are_right(weight: float | None) -> None:
    """A weight is 0 or 1, or null for the default."""
    row = {"messages": [USER, ASSISTANT, USER, {**ASSISTANT, "weight": weight}]}
    assert codes(row) == []


@pytest.mark.parametrize(
    ("weight", "code"), [(2, "OPENAI-WEIGHT"), (True, "OPENAI-WEIGHT-TYPE"), ("1", "OPENAI-WEIGHT-TYPE")]
)
def test_other_weights_are_wrong(weight: Any, code: str) -> None:
    """A number that is neither is a bad value; a text or a truth value is of the wrong type."""
    assert codes({"messages": [USER, {**ASSISTANT, "weight": weight}]}) == [code]


def test_the_older_form_of_tools_is_right_and_said() -> None:
    """Functions, calls of them and their results are taken, with notes."""
    call = {"role": "assistant", "content": None, "function_call": FIND}
    result = {"role": "function", "name": "find_card", "content": "posted"}
    row = {"messages": [USER, call, result, ASSISTANT], "functions": [{"name": "find_card"}]}
    assert set(codes(row)) == {"OPENAI-DEPRECATED"}


def test_an_image_may_stand_in_the_users_turn_only() -> None:
    """What a system, a tool or the assistant says is text."""
    image = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    assert codes({"messages": [{"role": "user", "content": image}, ASSISTANT]}) == []
    assert codes({"messages": [{"role": "system", "content": image}, USER, ASSISTANT]}) == ["OPENAI-PART-KIND"]


def test_everything_wrong_with_a_preference_is_listed() -> None:
    """Faults of the input and of both outputs are found in one pass, with their places."""
    row = {"input": {"messages": [ASSISTANT], "tools": {}}, "preferred_output": [], "non_preferred_output": [USER, 3]}
    assert {(problem.code, problem.pointer) for problem in OPENAI_PREFERENCE.problems(row)} == {
        ("OPENAI-FIRST-TURN", "/input/messages/0"),
        ("OPREF-INPUT-LAST-TURN", "/input/messages/0"),
        ("OPENAI-TOOLS-TYPE", "/input/tools"),
        ("OPREF-OUTPUT-COUNT", "/preferred_output"),
        ("OPREF-OUTPUT-COUNT", "/non_preferred_output"),
        ("OPREF-OUTPUT-ROLE", "/non_preferred_output/0/role"),
        ("OPENAI-TURN-TYPE", "/non_preferred_output/1"),
    }
