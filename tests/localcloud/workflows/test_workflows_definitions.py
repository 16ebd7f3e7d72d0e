"""Any text is either a program or refused with places; what is refused in one place does not hide the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from workflows_corpus import read_corpus

from localcloud.workflows import SourceError, parse

SOURCES = [case.text() for case in read_corpus().values()]
_WORDS = ("a", "b", "main", "end", "break", "v", "e", "x", "sys.now", "text.to_upper", "${x}", "${1 +}", "x[0]", "")
_KEYS = (
    *(
        "main",
        "f",
        "params",
        "steps",
        "a",
        "b",
        "assign",
        "call",
        "args",
        "result",
        "next",
        "return",
        "raise",
        "switch",
    ),
    *(
        "condition",
        "for",
        "value",
        "index",
        "in",
        "range",
        "parallel",
        "shared",
        "branches",
        "concurrency_limit",
        "try",
    ),
    *("retry", "predicate", "max_retries", "backoff", "initial_delay", "max_delay", "multiplier", "except", "as"),
    *("exception_policy", "x", "x.y", "x[0]", "oops"),
)
_TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 60) | st.floats(allow_nan=False) | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=30,
)


def check(source: str) -> None:
    """Parse a text; if it is refused, every problem must have a message and a place in it."""
    try:
        parse(source)
    except SourceError as error:
        assert error.problems
        lines = source.count("\n") + source.count("\r") + source.count("\x85") + source.count("\u2028") + 2
        for problem in error.problems:
            assert problem.message
            assert 1 <= problem.position.line <= lines
            assert problem.position.column >= 1


@settings(max_examples=150, deadline=None)
@given(_TREES)
def test_any_tree_is_a_program_or_refused(tree: Any) -> None:
    """Maps and lists of the language's own words, put together at random, never break the parser."""
    check(yaml.safe_dump(tree))
    check(json.dumps({"main": {"steps": [{"a": tree}, {"b": {"return": 1}}]}}))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SOURCES), st.integers(0, 4000), st.integers(0, 40), st.text(max_size=8))
def test_a_damaged_definition_is_a_program_or_refused(source: str, start: int, length: int, put: str) -> None:
    """A definition with a part replaced by any text never breaks the parser."""
    start %= len(source) + 1
    check(source[:start] + put + source[start + length :])


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_program_or_refused(source: str) -> None:
    """Any text at all never breaks the parser."""
    check(source)


WRONG_STEPS = (
    "{retrun: 1}",
    "{assign: [{1x: 1}]}",
    "{assign: [{x: '${1 +}'}]}",
    "{call: nothing}",
    "{call: sys.sleep}",
    "{next: nowhere}",
    "{return: '${y}'}",
    "{switch: [{return: 1}]}",
    "{for: {value: v, in: 5, steps: [{i: {call: sys.now}}]}}",
    "{parallel: {shared: [y], for: {value: v, in: [1], steps: [{i: {call: sys.now}}]}}}",
    "{try: {raise: x}, retry: '${never}'}",
    "{steps: []}",
)


@pytest.mark.parametrize("first", WRONG_STEPS)
@pytest.mark.parametrize("second", WRONG_STEPS)
def test_each_mistake_is_told_beside_any_other(first: str, second: str) -> None:
    """Two wrong steps are two problems, each on its own line, whatever they are; the right one between has none."""
    with pytest.raises(SourceError) as refusal:
        parse(f"- a: {first}\n- b: {{assign: [{{x: 1}}]}}\n- c: {second}\n- d: {{return: '${{x}}'}}")
    assert [problem.position.line for problem in refusal.value.problems] == [1, 3]
    assert [problem.step for problem in refusal.value.problems] == ["a", "c"]
