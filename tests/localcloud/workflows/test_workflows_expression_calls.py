"""Calls inside expressions: every kind of node gives with a called part what it gives with the part itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from localcloud.clock import ManualClock
from localcloud.workflows import WorkflowError, run_source

# `same` sleeps before it returns its argument, so whatever holds a call of it has to be waited for.
SOURCE = """
main:
  params: [args]
  steps:
    - given: {{assign: [{{m: {{a: {{b: 7}}}}}}, {{l: [4, 5, 6]}}, {{seen: []}}]}}
    - only: {{return: '${{{expression}}}'}}
same:
  params: [value]
  steps:
    - wait: {{call: sys.sleep, args: {{seconds: 1}}}}
    - give: {{return: '${{value}}'}}
fail:
  steps:
    - now: {{raise: called}}
"""
PAIRS = [
    ("[1, l, 2]", "[same(1), l, same(2)]", 2),
    ('{"a": 1, "b": l}', '{"a": same(1), "b": l}', 1),
    ("-3", "-same(3)", 1),
    ("not true", "not same(true)", 1),
    ("m.a.b", "same(m).a.b", 1),
    ("l[1]", "l[same(1)]", 1),
    ("l[1]", "same(l)[same(1)]", 2),
    ("1 + 2 * 3 - 4", "same(1) + 2 * same(3) - 4", 2),
    ("5 in l", "same(5) in same(l)", 2),
    ("true and false", "same(true) and same(false)", 2),
    ("len(l) + 1", "same(len(same(l))) + 1", 2),
    ("false", "same(false) and fail()", 1),
    ("true", "same(true) or fail()", 1),
    ("retry.default_backoff.max_delay", "same(retry.default_backoff).max_delay", 1),
]


def _value(expression: str) -> tuple[Any, float]:
    clock = ManualClock()
    start = clock.now()
    return asyncio.run(run_source(SOURCE.format(expression=expression), clock=clock)), clock.now() - start


@pytest.mark.parametrize(("plain", "calling", "calls"), PAIRS)
def test_a_called_part_counts_as_its_value(plain: str, calling: str, calls: int) -> None:
    """The value is the same, and each call that is needed is made once."""
    value, seconds = _value(calling)
    assert value == _value(plain)[0]
    assert seconds == pytest.approx(calls)


@pytest.mark.parametrize("expression", ["m.none + fail()", "same(true) and fail()", "[l[9], fail()]"])
def test_parts_are_evaluated_from_left_to_right(expression: str) -> None:
    """An error on the left comes before a call on the right is made, and a call's error is the expression's."""
    with pytest.raises(WorkflowError) as failure:
        _value(expression)
    assert (failure.value.payload == "called") == (expression == "same(true) and fail()")
