"""What a drop may ask for, and how a wrong wish is refused."""

from __future__ import annotations

import pytest

from droptune.errors import Refused
from droptune.request import Request, from_metadata, from_yaml


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
    ("text", "says"),
    [
        ("epochs: many", "epochs"),
        ("epochs: 0", "epochs"),
        ("train_steps: -5", "train_steps"),
        ("learning_rate_multiplier: 0", "learning_rate_multiplier"),
        ("adapter_size: 3", "adapter_size"),
        ("colour: blue", "colour"),
        ("- a list", "object"),
        ("a: [", "not YAML"),
        ("labels: {Upper: x}", "labels"),
    ],
)
def test_a_wrong_wish_is_refused_by_name(text: str, says: str) -> None:
    """The message names the key, and lists the keys that there are."""
    with pytest.raises(Refused) as refusal:
        from_yaml(text)
    assert says in str(refusal.value)
