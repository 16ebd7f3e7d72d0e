"""Filters, orders and pages of listings, whatever is written into them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from localcloud.http import GoogleError
from localcloud.workflows.api.filter_syntax import All, Comparison, Not, Some, parse_filter
from localcloud.workflows.api.filters import matcher, ordered
from localcloud.workflows.api.listing import Query, page
from localcloud.workflows.api.resources import FIELDS

A, B, C = (Comparison(name, "=", "1", quoted=False) for name in "abc")
RESOURCE = {
    "name": "projects/p/locations/l/workflows/w/executions/e1",
    "state": "FAILED",
    "createTime": "2025-06-15T15:06:40.000000Z",
    "duration": "1.500000s",
    "labels": {"env": "test", "on-call": "a b"},
}
WORDS = st.sampled_from(
    [
        *("state", "createTime", "duration", "label.env", "labels", "executionId", "stepName", "nothing", "AND", "OR"),
        *("NOT", "-", "(", ")", "=", "!=", "<", ">=", ":", "*", '"', "'", "\\", "FAILED", '"a b"', "2025-06-15", "1s"),
        *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "true", " ", "${x}", "\u0661", "\ud800"),
    ]
)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", All(())),
        ("  ", All(())),
        ("a=1", A),
        ("a = 1 AND b=1", All((A, B))),
        ("a=1 b=1", All((A, B))),
        ("a=1 OR b=1 AND c=1", All((Some((A, B)), C))),
        ("a=1 AND b=1 OR c=1", All((A, Some((B, C))))),
        ("(a=1 AND b=1) OR c=1", Some((All((A, B)), C))),
        ("NOT a=1", Not(A)),
        ("NOT(a=1)", Not(A)),
        ("-a=1", Not(A)),
        ('a="1 AND \\"2"', Comparison("a", "=", '1 AND "2', quoted=True)),
        ("a='x'", Comparison("a", "=", "x", quoted=True)),
        ("a>2025-01-31T12:00:00Z", Comparison("a", ">", "2025-01-31T12:00:00Z", quoted=False)),
        ("label.on-call:*", Comparison("label.on-call", ":", "*", quoted=False)),
    ],
)
def test_filters_are_read_as_aip_160_says(text: str, tree: Any) -> None:
    """OR binds tighter than AND, conditions side by side are joined by AND, a minus negates, quotes protect."""
    assert parse_filter(text) == tree


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("state=FAILED", True),
        ("state!=FAILED", False),
        ("executionId=e*", True),
        ("executionId:1", True),
        ("duration<=1.5s AND duration>1.4s", True),
        ("createTime=2025-06-15T17:06:40+02:00", True),
        ("endTime>2025-01-01", False),
        ("endTime!=2025-01-01", True),
        ("endTime:*", False),
        ("duration:*", True),
        ('label.env="te*"', True),
        ("label.none=x", False),
        ("label.none!=x", True),
        ("labels:env", True),
        ("labels:en", False),
        ('label.on-call="a b"', True),
        ("workflow_revision_id=x OR NOT state=ACTIVE", True),
    ],
)
def test_comparisons_go_by_type(text: str, fits: bool) -> None:
    """Times, durations, texts with wildcards, labels; a missing value fits nothing but !=."""
    assert matcher(text, FIELDS)(RESOURCE) is fits


@given(st.one_of(st.text(), st.lists(WORDS, max_size=12).map(" ".join), st.lists(WORDS, max_size=12).map("".join)))
@example("(" * 60_000)
@example("NOT " * 60_000)
@example("state=" + '"' * 60_001)
@example("duration>" + "9" * 5000 + "s")
@example("labels<0")
def test_any_filter_is_answered_or_refused(text: str) -> None:
    """A filter fits, does not fit, or is INVALID_ARGUMENT; nothing else can come of it."""
    try:
        assert matcher(text, FIELDS)(RESOURCE) in (True, False)
    except GoogleError as refusal:
        assert refusal.status == "INVALID_ARGUMENT"


@given(st.one_of(st.text(), st.lists(WORDS, max_size=6).map(" ".join)))
def test_any_order_is_answered_or_refused(text: str) -> None:
    """An order gives all items back, or is INVALID_ARGUMENT."""
    try:
        assert len(list(ordered([RESOURCE, RESOURCE], lambda item: item, text, FIELDS))) == 2
    except GoogleError as refusal:
        assert refusal.status == "INVALID_ARGUMENT"


@given(st.integers(0, 50), st.integers(1, 20))
def test_pages_make_up_the_listing(total: int, size: int) -> None:
    """Following the tokens gives every item once, in order, and the last page has no token."""
    found: list[int] = []
    token: str | None = ""
    while token is not None:
        shown, token = page(range(total), Query(page_size=size, page_token=token, filter="x"), default=5, maximum=10)
        found += shown
    assert found == list(range(total))


@given(st.text())
def test_any_token_is_answered_or_refused(token: str) -> None:
    """A token that no page gave is INVALID_ARGUMENT."""
    try:
        page([1], Query(page_token=token), default=1, maximum=1)
    except GoogleError as refusal:
        assert refusal.status == "INVALID_ARGUMENT"
