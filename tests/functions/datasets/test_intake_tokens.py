"""Token totals: counted, from a sample with its interval, or estimated from characters."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.datasets.tokens import estimate, tokenizer, total_tokens
from droptune.errors import Refused


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def population(rows: int, seed: int = 7) -> list[str]:
    """Rows of very different lengths, whose words have very different lengths."""
    rng = random.Random(seed)
    return [" ".join("x" * rng.randint(1, 9) for _ in range(rng.randint(1, 80))) for _ in range(rows)]


def test_all_rows_are_counted_where_they_are_the_sample() -> None:
    """Then there is no doubt, and no interval."""
    texts = population(50)
    tokens = total_tokens(texts, 50, sum(map(len, texts)), words)
    assert tokens is not None
    assert tokens.total == tokens.low == tokens.high == sum(words(texts))
    assert tokens.basis == "counted"


def test_the_interval_of_a_sample_covers_the_truth_as_often_as_it_says() -> None:
    """Of 400 samples, 95 % of intervals hold the exact total (within what 400 draws can tell)."""
    texts = population(5_000)
    characters, exact = sum(map(len, texts)), sum(words(texts))
    rng = random.Random(1)
    held = 0
    for _ in range(400):
        tokens = total_tokens(rng.sample(texts, 200), len(texts), characters, words)
        assert tokens is not None
        assert tokens.basis == "sampled"
        assert tokens.high - tokens.low < 0.1 * exact
        held += tokens.low <= exact <= tokens.high
    assert 0.915 <= held / 400 <= 0.985


def test_without_a_tokenizer_characters_tell_roughly() -> None:
    """English has about four characters a token, and the interval is wide."""
    text = "The card that I ordered two weeks ago has not arrived yet. " * 100
    tokens = total_tokens([text], 1, len(text), None)
    assert tokens is not None
    assert tokens.basis == "estimated"
    assert tokens.total == round(len(text) / 4)
    assert tokens.low < 0.75 * tokens.total
    assert tokens.high > 1.35 * tokens.total


def test_a_sample_is_scaled_to_all_characters() -> None:
    """The estimate from a tenth of the rows is ten times that of the tenth."""
    tenth = total_tokens(["abcd" * 100], 1, 400, None)
    whole = total_tokens(["abcd" * 100], 10, 4_000, None)
    assert tenth is not None
    assert whole is not None
    assert whole.total == 10 * tenth.total


def test_scripts_have_their_own_ratios() -> None:
    """Japanese needs several times as many tokens a character as English."""
    assert estimate("カードが届きません").tokens > 2.5 * estimate("Card lost").tokens
    assert estimate("карта").tokens > estimate("cards").tokens


def test_no_rows_have_no_tokens() -> None:
    """Neither rows nor characters: nothing is claimed."""
    assert total_tokens([], 0, 0, words) is None
    assert total_tokens([""], 1, 0, None) is None


@given(st.text(max_size=300))
def test_an_estimate_lies_within_its_interval(text: str) -> None:
    """Whatever the characters are."""
    tokens, low, high = estimate(text)
    assert 0 <= low <= tokens <= high


@given(st.lists(st.text(min_size=1, max_size=50), min_size=1, max_size=20), st.integers(0, 1_000))
def test_any_sample_gives_an_ordered_interval(sample: list[str], more: int) -> None:
    """A sample of one row among several tells nothing of its own spread; no number is ever out of order."""
    tokens = total_tokens(sample, len(sample) + more, sum(map(len, sample)) * 2, words)
    assert tokens is not None
    assert 0 <= tokens.low <= tokens.total <= tokens.high


def test_a_tokenizer_file_is_loaded_and_counts(tmp_path: Path) -> None:
    """Any tokenizer.json of the tokenizers library will do; special tokens are not counted."""
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel({"hello": 0, "[UNK]": 1}, unk_token="[UNK]"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    model.save(str(tmp_path / "tokenizer.json"))
    count = tokenizer(tmp_path / "tokenizer.json")
    assert count is not None
    assert count(["hello hello", "other"]) == [2, 1]


def test_what_is_no_tokenizer_is_refused_by_name(tmp_path: Path) -> None:
    """A missing file and one of another kind; no path means no tokenizer."""
    pytest.importorskip("tokenizers")
    (tmp_path / "broken.json").write_text("{}")
    for name in ("missing.json", "broken.json"):
        with pytest.raises(Refused, match=name):
            tokenizer(tmp_path / name)
    assert tokenizer(None) is None
