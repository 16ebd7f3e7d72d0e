"""Any text is a value or a refusal with a position; nothing else comes out of the expression language."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.workflows import SourceError, WorkflowError, run_source
from localcloud.workflows.expressions import ExpressionError, parse_expression
from localcloud.workflows.expressions.lexer import Kind, closing_brace, tokens
from localcloud.workflows.values import equal, from_journal, to_journal

PIECES = st.sampled_from(
    [
        *'+-*/%<>=!.,:()[]{}"\\ \n$é',
        *(
            "//",
            "==",
            "and",
            "or",
            "not",
            "in",
            "null",
            "true",
            "x",
            "a.b",
            "1",
            "2.5",
            "9223372036854775808",
            '"s"',
            "${",
        ),
        *("len(", "default(", "text.split(", "map.get(x, ", "if(", "json.decode("),
    ]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("\0bytes"), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_parses_or_is_refused_with_an_offset(text: str) -> None:
    """Parsing any text succeeds or raises our own error, whose offset lies in the text."""
    try:
        parse_expression(text)
    except ExpressionError as error:
        assert 0 <= error.offset <= len(text)
        assert error.message


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_tokens_increase_and_end(text: str) -> None:
    """Token offsets increase, and the last token is the end."""
    try:
        found = tokens(text)
    except ExpressionError:
        return
    offsets = [token.offset for token in found]
    assert offsets == sorted(set(offsets[:-1])) + offsets[-1:]
    assert found[-1].kind is Kind.END


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_any_expression_is_evaluated_or_refused(text: str) -> None:
    """A workflow that returns any expression ends with a value, an error of ours, or a refusal with a position."""
    source = {"main": {"params": ["x"], "steps": [{"a": {"return": "${" + text + "}"}}]}}
    try:
        asyncio.run(run_source(_json(source), {"a": [1, "b"]}))
    except SourceError as error:
        assert all(problem.position.line >= 1 and problem.position.column >= 1 for problem in error.problems)
    except WorkflowError as error:
        assert error.tags


@pytest.mark.parametrize("text", ["(" * 399, "-" * 399 + "1", "not " * 99 + "true", "[" * 200 + "]" * 200])
def test_deep_nesting_is_refused_not_fatal(text: str) -> None:
    """Brackets and prefixes nested beyond the limit are refused by name."""
    with pytest.raises(ExpressionError, match=r"levels deep"):
        parse_expression(text[:400])


def test_the_longest_chain_is_evaluated() -> None:
    """An expression of 200 operands, the most that fit, is evaluated."""
    assert asyncio.run(run_source('- a: {return: "${' + "+".join(["1"] * 200) + '}"}')) == 200


def test_the_closing_brace_is_found_outside_strings() -> None:
    """Braces in string literals do not close an expression."""
    assert closing_brace('${"}" + "\\"}"}', 2) == 13
    assert closing_brace("${a", 2) is None


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_the_journal_reads_back_what_it_wrote(value: Any) -> None:
    """Every value, bytes included, survives the journal unchanged."""
    assert equal(from_journal(to_journal(value)), value)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30))
def test_strings_are_never_read_again(text: str) -> None:
    """A string that an expression gives is the result as it is, whatever YAML or expression it looks like."""
    source = "main:\n  params: [x]\n  steps:\n    - a: {assign: [{y: '${x}'}]}\n    - b: {return: '${y}'}\n"
    assert asyncio.run(run_source(source, text)) == text


def _json(value: Any) -> str:

    return json.dumps(value)
