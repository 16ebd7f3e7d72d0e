"""The catalogue of methods and base models, and the price table."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from droptune.errors import Refused
from droptune.methods import METHODS
from droptune.methods.catalogue import BaseModel, KnownMethod, base_models, known_methods
from droptune.methods.prices import prices

TODAY = datetime.date(2026, 11, 21)


@pytest.mark.parametrize("method", known_methods().values(), ids=lambda m: m.name)
def test_every_method_tunes_its_default_base_models(method: KnownMethod) -> None:
    """The base model that is taken for a format takes rows of that format for that method."""
    assert method.base_models
    for fmt, name in method.base_models.items():
        assert base_models()[name].tuning(method.name, fmt) is not None


@pytest.mark.parametrize("model", base_models().values(), ids=lambda m: m.name)
def test_every_base_model_is_tuned_by_known_methods_on_known_formats(model: BaseModel) -> None:
    """An entry that nothing could choose would be a slip of the pen."""
    assert model.methods
    for name, tuning in model.methods.items():
        assert set(tuning.formats) <= set(known_methods()[name].base_models)
        assert tuning.source
        assert tuning.as_of <= TODAY
        for least, most in tuning.rows.values():
            assert least is None or most is None or least <= most


def test_what_is_retired_names_what_replaces_it() -> None:
    """Base models and methods that are gone point to one that is there, and that is not retired itself."""
    for model in base_models().values():
        if model.retired_on(TODAY):
            assert model.replacement is not None
            assert not base_models()[model.replacement].retired_on(TODAY)
    for method in known_methods().values():
        if method.replaced_by is not None:
            assert known_methods()[method.replaced_by].replaced_by is None


def test_every_method_that_can_be_started_is_known() -> None:
    """What the launchers send is a subset of what the catalogue describes."""
    assert set(METHODS) <= set(known_methods())


@pytest.mark.parametrize(
    ("name", "region", "batch"),
    [
        ("text-bison@002", "us-central1", 8),
        ("text-bison@002", "europe-west4", 24),
        ("chat-bison-32k@002", "us-central1", 8),
        ("chat-bison-32k@002", "europe-west4", 8),
    ],
)
def test_batch_sizes_follow_the_computing_region(name: str, region: str, batch: int) -> None:
    """The table of the documentation: 8 and 24 rows for 8k models, 8 and 8 for 32k models."""
    assert base_models()[name].batch_sizes[region] == batch


def test_prices_have_a_date_and_a_source() -> None:
    """No price without knowing from when it is; what is priced is in the catalogue."""
    table = prices()
    for model, by_method in table.training_tokens.items():
        for method, price in by_method.items():
            assert method in base_models()[model].methods
            assert price.price > 0
            assert price.as_of
            assert price.source
    hour = table.of_accelerator_hour("rlhf", "us-central1")
    assert hour is not None
    assert (hour.price, hour.currency) == (45.80, "USD")


def test_a_users_price_replaces_one_entry(tmp_path: Path) -> None:
    """The user's file overrides entry by entry, and may add what we do not know."""
    mine = tmp_path / "prices.yaml"
    entry = "{price: %s, currency: EUR, as_of: '2026-10-01', source: contract}"
    mine.write_text(
        "training_tokens:\n"
        f"  gemini-2.5-flash: {{gemini_sft: {entry % 4}}}\n"
        f"  text-bison@002: {{palm_text_sft: {entry % 2}}}\n"
    )
    table = prices(mine)
    ours, added = table.of_training_tokens("gemini-2.5-flash", "gemini_sft"), table.training_tokens["text-bison@002"]
    assert ours is not None
    assert (ours.price, ours.currency) == (4, "EUR")
    assert added["palm_text_sft"].price == 2
    assert table.of_training_tokens("gemini-2.5-flash", "gemini_preference") is not None
    assert table.of_training_tokens("gemini-2.5-pro", "gemini_sft") == prices().of_training_tokens(
        "gemini-2.5-pro", "gemini_sft"
    )


@pytest.mark.parametrize(
    "text", ["training_tokens: [1]", "colour: blue", "a: [", "training_tokens: {m: {x: {price: 1}}}"]
)
def test_a_price_table_of_another_shape_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """A misspelt entry must not silently leave our own price in force."""
    mine = tmp_path / "prices.yaml"
    mine.write_text(text)
    with pytest.raises(Refused, match=r"prices\.yaml"):
        prices(mine)
