"""Strategies for values and expressions of the language, and the short way to evaluate one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import strategies as st

from localcloud.clock import ManualClock
from localcloud.workflows import WorkflowError, run_source
from localcloud.workflows.stdlib import FUNCTIONS

INTEGER_MINIMUM, INTEGER_MAXIMUM = -(2**63), 2**63 - 1

# Texts that an engine which reads its results again would change.
LOOKALIKES = st.sampled_from(
    [
        *(
            "${1 + 1}",
            " ${x} ",
            "${",
            "$",
            "007",
            "1e3",
            "0x1f",
            "1_000",
            "-0",
            ".5",
            ".inf",
            ".nan",
            "~",
            "null",
            "true",
        ),
        *("yes", "off", "2024-01-01", "12:30:45", "[1]", "{a: 1}", "a: b", "- a", "# a", "&a", "*a", "!!int 1", "'a'"),
        *('"a"', "a\n", "\ta", "\ufeff1", "\u2028", "<<", "=", "\x00", "\\u0041", "%7B", "YQ=="),
    ]
)
TEXTS = LOOKALIKES | st.text(max_size=20)
INTEGERS = st.integers(INTEGER_MINIMUM, INTEGER_MAXIMUM) | st.sampled_from(
    [INTEGER_MINIMUM, INTEGER_MINIMUM + 1, -(2**53) - 1, -1, 0, 1, 2**53 + 1, INTEGER_MAXIMUM - 1, INTEGER_MAXIMUM]
)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGERS | DOUBLES | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
VALUES = JSON_VALUES | st.binary(max_size=12)
# Expressions of every form, most of which parse and half of which have a value.
_LEAVES = (
    TEXTS.map(json.dumps)
    | INTEGERS.map(str)
    | st.floats(0, 1e300).map(repr)
    | st.sampled_from(["true", "False", "null", "x", "x.a", "x.b[0]", 'x["c"]', "x.missing", "[]", "{}"])
)
_OPERATORS = ("+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in")
_NAMES = sorted(name for name, function in FUNCTIONS.items() if not getattr(function, "blocking", False))


def _forms(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from([*_OPERATORS, "not in", "**", "", "="])
    return (
        st.tuples(inner, operators, inner).map(" ".join)
        | st.tuples(st.sampled_from(["-", "+", "not ", "(", ""]), inner, st.sampled_from([")", "", ".k"])).map("".join)
        | st.tuples(inner, inner).map(lambda pair: f"({pair[0]})[{pair[1]}]")
        | st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | inner.map(lambda item: f'{{"k": {item}}}')
        | st.tuples(st.sampled_from(_NAMES), st.lists(inner, max_size=3)).map(lambda c: f"{c[0]}({', '.join(c[1])})")
    )


EXPRESSIONS = st.recursive(_LEAVES, _forms, max_leaves=12)


def evaluated(expression: str, argument: Any = None) -> Any:
    """What a workflow returns whose only step returns the expression, with the argument as `x`."""
    steps = [{"only": {"return": "${" + expression + "}"}}]
    return asyncio.run(
        run_source(json.dumps({"main": {"params": ["x"], "steps": steps}}), argument, clock=ManualClock())
    )


def refused_tag(expression: str, argument: Any = None) -> str:
    """The first tag of the error that the expression ends with; fails when it has a value."""
    with pytest.raises(WorkflowError) as failure:
        evaluated(expression, argument)
    return failure.value.tags[0]
