"""What holds for any expression: an answer in bounded time, places in refusals, arithmetic and equality."""

from __future__ import annotations

import asyncio
import json
import operator
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workflows_strategies import (
    DOUBLES,
    EXPRESSIONS,
    INTEGER_MAXIMUM,
    INTEGER_MINIMUM,
    INTEGERS,
    JSON_VALUES,
    evaluated,
    refused_tag,
)

from localcloud.clock import ManualClock
from localcloud.workflows import SourceError, WorkflowError, run_source
from localcloud.workflows.expressions.lexer import closing_brace

# Far more than any of these needs, far less than a blow-up takes.
_BOUND_SECONDS = 5.0


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS | st.text('x1."{}[]()+-\\ $', max_size=40))
def test_any_expression_has_a_value_an_error_or_a_place(text: str) -> None:
    """Any text in `${}` gives a value, an error of the language, or a refusal whose place lies within the source."""
    started = time.perf_counter()
    try:
        evaluated(text, {"a": 1, "b": ["é"], "c": None})
    except SourceError as refusal:
        for problem in refusal.problems:
            assert problem.position.line >= 1
            assert problem.position.column >= 1
    except WorkflowError as error:
        assert "SystemError" not in error.tags, error.payload
    assert time.perf_counter() - started < _BOUND_SECONDS


_ONE_LINE = st.text('x1."{}[](),:+-*/=<>%\\ $é', max_size=40)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS.filter(str.isprintable) | _ONE_LINE)
def test_a_refusal_points_into_the_text(text: str) -> None:
    """The place of a refusal lies within the expression, its braces included, and the step is named."""
    before = "- name: {return: '"
    try:
        asyncio.run(run_source(before + "${" + text.replace("'", '"') + "}'}", clock=ManualClock()))
    except SourceError as refusal:
        for problem in refusal.problems:
            assert problem.step == "name"
            assert problem.position.line == 1
            assert 0 <= problem.position.column - 1 - len(before) <= len("${}") + len(text)
    except WorkflowError as error:
        assert error.tags


@pytest.mark.parametrize(
    "text",
    [
        *(
            '${"' + '\\"' * 60_000,
            "${" + '"' * 60_001,
            "${" + "{" * 60_000,
            "${" + '"a{"' * 30_000,
            "${" + "\\" * 60_000,
        ),
        *(
            "${" + "1+" * 30_000 + "1}",
            "${" + "(" * 60_000 + "}",
            "${" + "x." * 30_000 + "}",
            "${" + "\n" * 60_000 + "}",
        ),
    ],
)
def test_texts_as_long_as_a_source_are_answered_soon(text: str) -> None:
    """Reading takes time in proportion to the text, also when quotes and braces are not closed."""
    started = time.perf_counter()
    closing_brace(text, 2)
    with pytest.raises(SourceError):
        asyncio.run(run_source("- a: {return: " + json.dumps(text) + "}"))
    assert time.perf_counter() - started < _BOUND_SECONDS


_EXACT: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": lambda left, right: Fraction(left // right),
}


@settings(max_examples=150, deadline=None)
@given(INTEGERS, st.sampled_from(sorted(_EXACT)), INTEGERS)
def test_integers_are_exact_or_refused(left: int, symbol: str, right: int) -> None:
    """Integer arithmetic gives the exact integer, a ValueError beyond 64 bits, or a ZeroDivisionError."""
    expression = f"x[0] {symbol} x[1]"
    if symbol == "//" and right == 0:
        assert refused_tag(expression, [left, right]) == "ZeroDivisionError"
        return
    exact = _EXACT[symbol](Fraction(left), Fraction(right))
    if INTEGER_MINIMUM <= exact <= INTEGER_MAXIMUM:
        result = evaluated(expression, [left, right])
        assert type(result) is int
        assert result == exact
    else:
        assert refused_tag(expression, [left, right]) == "ValueError"


@settings(max_examples=100, deadline=None)
@given(INTEGERS, INTEGERS.filter(bool))
def test_division_and_remainder_fit_together(left: int, right: int) -> None:
    """`/` is the nearest double; the remainder is what floor division leaves and is smaller than the divisor."""
    quotient, remainder = evaluated("[x[0] / x[1], x[0] % x[1]]", [left, right])
    assert type(quotient) is float
    assert quotient == pytest.approx(float(Fraction(left, right)), rel=1e-15)
    assert abs(remainder) < abs(right)
    assert (left - remainder) % right == 0


@settings(max_examples=150, deadline=None)
@given(INTEGERS | DOUBLES, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), INTEGERS | DOUBLES)
def test_numbers_are_compared_by_value(left: float, symbol: str, right: float) -> None:
    """Integers and doubles are compared as the numbers that they are, without rounding either."""
    compare = {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
    assert evaluated(f"x[0] {symbol} x[1]", [left, right]) is compare[symbol](Fraction(left), Fraction(right))


@settings(max_examples=100, deadline=None)
@given(st.integers(-(2**70), 2**70))
def test_literals_of_integers_have_64_bits(number: int) -> None:
    """An integer literal is that integer when 64 bits hold it, and refused at deployment otherwise."""
    if INTEGER_MINIMUM <= number <= INTEGER_MAXIMUM:
        assert evaluated(str(number)) == number
    else:
        with pytest.raises(SourceError, match="does not fit in 64 bits"):
            evaluated(str(number))


@settings(max_examples=100, deadline=None)
@given(JSON_VALUES, JSON_VALUES)
def test_equality_is_that_of_json(left: Any, right: Any) -> None:
    """Values are equal when their JSON is, numbers by value; `!=` and membership agree, and nothing raises."""

    def canonical(value: Any) -> Any:
        if type(value) in (int, float):
            return ("number", Fraction(value))
        if type(value) is list:
            return ("list", tuple(map(canonical, value)))
        if type(value) is dict:
            return ("map", frozenset((key, canonical(item)) for key, item in value.items()))
        return (type(value).__name__, value)

    same = canonical(left) == canonical(right)
    assert evaluated("[x[0] == x[1], x[0] != x[1], x[0] in [x[1]]]", [left, right]) == [same, not same, same]
    assert evaluated("x == x", left) is True
