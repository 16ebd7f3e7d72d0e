"""What is compiled, and what does the same in Python: one contract for both."""

from __future__ import annotations

import importlib.util
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

BULK = "droptune.datasets.bulk"
COMPILED = importlib.util.find_spec(f"{BULK}._native") is not None

MADE = [
    pytest.param("plain", id="plain"),
    pytest.param("native", id="native", marks=pytest.mark.skipif(not COMPILED, reason="there was no C compiler")),
]

# Of every width that Python gives the characters of a text, and of the lengths at which the hash changes its ways.
TEXTS = ["", " ", "\u00a0\u3000\x1c", "a", " a", "a ", "é", "日本", "😀", "abc", "\x00", "\ud800"]
TEXTS += ["x" * n for n in (3, 4, 7, 8, 31, 32, 33, 63, 64, 100)] + ["日" * n for n in (15, 16, 17)]


@pytest.fixture(params=MADE)
def bulk(request: pytest.FixtureRequest) -> Any:
    return import_module(f"{BULK}.{request.param}")


def test_the_compiled_functions_are_used_where_they_are() -> None:
    used = import_module(BULK).lengths.__module__
    assert used == f"{BULK}.{'native' if COMPILED else 'plain'}"


def test_lengths_are_in_characters(bulk: Any) -> None:
    found = bulk.lengths(TEXTS)
    assert found.dtype == np.int32
    assert found.tolist() == [len(text) for text in TEXTS]
    assert bulk.lengths([]).tolist() == []


def test_blanks_are_what_python_calls_space(bulk: Any) -> None:
    every = list(map(chr, range(0x3100)))
    assert bulk.blanks(every) == [at for at, text in enumerate(every) if text.isspace()]
    assert bulk.blanks(TEXTS) == [0, 1, 2]
    assert bulk.blanks(["a", "b"]) == bulk.blanks([]) == []


@pytest.mark.parametrize("other", [None, 7, b"a", ["a"]])
def test_what_is_no_text_is_refused(bulk: Any, other: Any) -> None:
    with pytest.raises(TypeError):
        bulk.blanks(["a", other])


def test_equal_texts_have_equal_hashes_and_others_do_not(bulk: Any) -> None:
    found = bulk.hashes(TEXTS)
    assert found.dtype == np.uint64
    assert len(set(found.tolist())) == len(TEXTS)
    copies = ["".join([*text]) for text in TEXTS]
    assert bulk.hashes(copies).tolist() == found.tolist()
    assert bulk.hashes([]).tolist() == []


def test_each_character_counts_in_a_hash(bulk: Any) -> None:
    text = "The quick brown fox jumps over the lazy dog, and then once more, so that it is long enough."
    changed = [text[:at] + "#" + text[at + 1 :] for at in range(len(text))]
    assert len(set(bulk.hashes([text, *changed]).tolist())) == len(text) + 1


@pytest.mark.skipif(not COMPILED, reason="there was no C compiler")
@pytest.mark.parametrize(
    ("text", "hashed"),
    [  # as `xxh64sum` prints them
        ("", 0xEF46DB3751D8E999),
        ("a", 0xD24EC4F1A98C6E5B),
        ("abc", 0x44BC2CF5AD770999),
        ("Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_compiled_hashes_are_xxh64(text: str, hashed: int) -> None:
    assert import_module(f"{BULK}.native").hashes([text]).tolist() == [hashed]


@given(st.lists(st.binary(max_size=300), max_size=40))
def test_line_ends_are_where_the_line_breaks_are(lines: list[bytes]) -> None:
    block = b"".join(line + b"\n" for line in lines)
    expected = [at for at, byte in enumerate(block) if byte == 0x0A]
    for made in ("plain", "native") if COMPILED else ("plain",):
        found = import_module(f"{BULK}.{made}").line_ends
        assert found(block).tolist() == expected
        assert found(memoryview(bytearray(block))).tolist() == expected


def test_many_short_lines(bulk: Any) -> None:
    assert bulk.line_ends(b"\n" * 70_000).tolist() == list(range(70_000))
