"""Field masks and list filters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from localcloud.http import GoogleError
from localcloud.vertex.listing import matches, page
from localcloud.vertex.masks import parse_mask, update_paths

RESOURCE = {
    "name": "n",
    "state": "JOB_STATE_RUNNING",
    "labels": {"team": "red", "tune-type": "sft"},
    "error": {"code": 3, "message": "m"},
    "tasks": [{"id": 1, "execution": {"schema": "a", "metadata": {"output:x": "y"}}}, {"id": 2}],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name", {"name": "n"}),
        ("name, state", {"name": "n", "state": "JOB_STATE_RUNNING"}),
        ("error/code", {"error": {"code": 3}}),
        ("error.code,error.message", {"error": {"code": 3, "message": "m"}}),
        ("labels(team)", {"labels": {"team": "red"}}),
        ("tasks/id", {"tasks": [{"id": 1}, {"id": 2}]}),
        (
            "tasks(id,execution(metadata))",
            {"tasks": [{"id": 1, "execution": {"metadata": {"output:x": "y"}}}, {"id": 2}]},
        ),
        ("tasks/execution/metadata/output:x", {"tasks": [{"execution": {"metadata": {"output:x": "y"}}}, {}]}),
        ("error/*", {"error": {"code": 3, "message": "m"}}),
        ("absent", {}),
    ],
)
def test_mask_selects(text: str, expected: Any) -> None:
    """A mask keeps what it names, in nested objects and in every item of a list."""
    assert parse_mask(text).select(RESOURCE) == expected


@pytest.mark.parametrize("text", ["", ",", "a(", "a(b", "a)b", "a//b", "a,", "a b(c))", "a{b}"])
def test_bad_mask_is_refused(text: str) -> None:
    """A mask that cannot be read is an invalid argument."""
    with pytest.raises(GoogleError) as refused:
        parse_mask(text)
    assert refused.value.status == "INVALID_ARGUMENT"


@given(st.text(alphabet="ab/.(),* ", max_size=20))
def test_any_text_is_a_mask_or_refused(text: str) -> None:
    """Whatever is sent as a mask either selects a part of the resource or is an invalid argument."""
    try:
        selected = parse_mask(text).select({"a": {"b": 1}, "b": [{"a": 2}]})
    except GoogleError as error:
        assert error.status == "INVALID_ARGUMENT"
    else:
        assert set(selected) <= {"a", "b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ('labels.team="red"', True),
        ("labels.team=red", True),
        ("labels.team = blue", False),
        ("labels.tune-type:*", True),
        ("labels.other:*", False),
        ("labels:team", True),
        ("labels:other", False),
        ('state="JOB_STATE_RUNNING" AND labels.team=red', True),
        ("state!=JOB_STATE_RUNNING", False),
        ("labels.other!=x", True),
        ("name=n*", True),
        ("error.code=3", True),
        ('display_name="n"', False),
    ],
)
def test_filter(text: str, expected: bool) -> None:
    """Terms joined by AND compare fields and labels; the label's bare key can be asked for."""
    assert matches(text, RESOURCE) is expected


@pytest.mark.parametrize("text", ["a=1 OR b=2", "NOT a=1", "(a=1)", "create_time>3", "a="])
def test_unsupported_filter_is_refused(text: str) -> None:
    """What the filter does not support is refused and never ignored."""
    with pytest.raises(GoogleError) as refused:
        matches(text, RESOURCE)
    assert refused.value.status == "INVALID_ARGUMENT"


def test_pages_follow_the_order_asked_for() -> None:
    """`orderBy` sorts over all pages, and `readMask` cuts each resource down."""
    resources = [{"name": f"n{i}", "displayName": name} for i, name in enumerate(["b", "a", "c"])]
    query = {"orderBy": "display_name desc", "pageSize": "2", "readMask": "display_name"}
    first = page(resources, "models", QueryParams(query))
    assert first["models"] == [{"displayName": "c"}, {"displayName": "b"}]
    rest = page(resources, "models", QueryParams({**query, "pageToken": first["nextPageToken"]}))
    assert rest == {"models": [{"displayName": "a"}]}


@pytest.mark.parametrize("query", [{"pageToken": "?"}, {"pageSize": "x"}, {"orderBy": "labels"}])
def test_bad_list_parameters_are_refused(query: dict[str, str]) -> None:
    """Tokens, sizes and orders that make no sense are invalid arguments."""
    with pytest.raises(GoogleError) as refused:
        page([RESOURCE], "jobs", QueryParams(query))
    assert refused.value.status == "INVALID_ARGUMENT"


def test_update_mask_names_what_may_change() -> None:
    """An update mask is read in either case, and must name something that can change."""
    assert update_paths("display_name,labels", ("displayName", "labels")) == ("displayName", "labels")
    for text in (None, "", "name"):
        with pytest.raises(GoogleError):
            update_paths(text, ("labels",))
