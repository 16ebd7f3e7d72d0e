"""What a drop may ask for, and how a wrong wish is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.request import ALLOWED, InvalidRequest, Request, from_metadata, from_yaml


def test_job_yaml_sets_what_it_names_and_leaves_the_rest() -> None:
    """Every wish is optional."""
    assert from_yaml("base_model: gemini-2.5-flash\nepochs: 3\n") == Request(base_model="gemini-2.5-flash", epochs=3)


def test_an_empty_job_yaml_asks_for_nothing() -> None:
    """An empty file is a request with every default."""
    assert from_yaml("") == Request()


def test_metadata_carries_the_same_wishes_with_hyphens() -> None:
    """Only keys with our prefix count, and numbers are numbers."""
    assert from_metadata({"droptune-train-steps": "50", "owner": "me"}) == Request(train_steps=50)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("epochs: many", "REQUEST-INVALID", "`epochs` cannot be `many`"),
        ("epochs: 0", "REQUEST-INVALID", "1, 2, 3"),
        ("train_steps: -5", "REQUEST-INVALID", "`train_steps`"),
        ("learning_rate_multiplier: 0", "REQUEST-INVALID", "> 0"),
        ("adapter_size: 3", "REQUEST-INVALID", "1 | 2 | 4 | 8 | 16 | 32"),
        ("files: train.jsonl", "REQUEST-INVALID", "[train.jsonl, …]"),
        ("labels: {Upper: x}", "REQUEST-INVALID", "`labels`"),
        ("labels: {team: A B}", "REQUEST-INVALID", "`labels`"),
        ("colour: blue", "REQUEST-KEY", "base_model"),
        ("1: 2", "REQUEST-KEY", "`1`"),
        ("- a list", "REQUEST-NOT-OBJECT", "object"),
        ("false", "REQUEST-NOT-OBJECT", "False"),
        ("a: [", "REQUEST-YAML", "not YAML"),
        ("region: 2026-99-99", "REQUEST-YAML", "month"),
    ],
)
def test_a_wrong_wish_is_refused_by_name(text: str, code: str, says: str) -> None:
    """The message names the key and what was asked for, and says what is allowed."""
    with pytest.raises(InvalidRequest) as refusal:
        from_yaml(text)
    assert refusal.value.code == code
    assert says in str(refusal.value)


@pytest.mark.parametrize("key", ["droptune-train-steps", "droptune-learning-rate-multiplier"])
def test_wrong_metadata_is_told_under_its_own_key(key: str) -> None:
    """A user of metadata never wrote a key with underscores."""
    with pytest.raises(InvalidRequest, match=f"`{key}`"):
        from_metadata({key: "many"})


def test_every_wish_says_what_it_may_be() -> None:
    """A new field of a request needs its entry."""
    assert tuple(ALLOWED) == Request.__struct_fields__


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_text_is_a_request_or_refused(text: str | bytes) -> None:
    """Whatever job.yaml holds, there is a request or a finding that can be put into words."""
    try:
        assert isinstance(from_yaml(text), Request)
    except InvalidRequest as error:
        assert str(error)
