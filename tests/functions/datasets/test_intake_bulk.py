"""What is compiled, and what does the same in Python: one contract for both."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

BULK = "droptune.datasets.bulk"
COMPILED = importlib.util.find_spec(f"{BULK}._native") is not None

BOTH = [
    pytest.param("plain", id="plain"),
    pytest.param("native", id="native", marks=pytest.mark.skipif(not COMPILED, reason="there was no C compiler")),
]

# Of every width that Python gives the characters of a text, and of the lengths at which the hash changes its ways.
TEXTS = ["", " ", "\u00a0\u3000\x1c", "a", " a", "a ", "é", "日本", "😀", "abc", "\x00", "\ud800"]
TEXTS += ["x" * n for n in (3, 4, 7, 8, 31, 32, 33, 63, 64, 100)] + ["日" * n for n in (15, 16, 17)]


@pytest.fixture(params=BOTH, scope="module")
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


@given(texts=st.lists(st.sampled_from(TEXTS) | st.text(max_size=2), max_size=200))
def test_each_text_is_counted(bulk: Any, texts: list[str]) -> None:
    copies = ["".join([*text]) for text in texts]
    assert dict(bulk.counts(copies)) == dict(Counter(texts))


def test_thousands_of_distinct_texts_are_counted(bulk: Any) -> None:
    texts = [str(number % 5_000) for number in range(7_000)]
    assert dict(bulk.counts(texts)) == dict(Counter(texts))


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


@given(lines=st.lists(st.binary(max_size=300), max_size=40))
def test_line_ends_are_where_the_line_breaks_are(bulk: Any, lines: list[bytes]) -> None:
    block = b"".join(line + b"\n" for line in lines)
    expected = [at for at, byte in enumerate(block) if byte == 0x0A]
    assert bulk.line_ends(block).tolist() == expected
    assert bulk.line_ends(memoryview(bytearray(block))).tolist() == expected


def test_many_short_lines(bulk: Any) -> None:
    assert bulk.line_ends(b"\n" * 70_000).tolist() == list(range(70_000))


# --- keys -----------------------------------------------------------------------------------------------------------

# Where a text looks most like the end of a key, and where white space hides one.
KEYLIKE = st.text(st.sampled_from('a":\\ \t{},é💳'), max_size=8)
SPACES = st.text(st.sampled_from(" \t\r"), max_size=3) | st.just("") | st.just(" " * 40)
ANY_VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | KEYLIKE,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYLIKE, inner, max_size=2),
    max_leaves=4,
)


def keys(value: Any) -> int:
    """The keys of all objects, each a list of pairs."""
    if isinstance(value, Object):
        return len(value.pairs) + sum(keys(inner) for _, inner in value.pairs)
    return sum(map(keys, value)) if isinstance(value, list) else 0


class Object:
    """A JSON object with all of its keys, repeated ones too."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def keys_in(line: bytes) -> int:
    return keys(json.loads(line, object_pairs_hook=Object))


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """A value as some writer of JSON would put it: with any white space between its tokens."""
    if isinstance(value, dict):
        pairs = [(json.dumps(key), draw(written(inner))) for key, inner in value.items()]
        pairs += [pairs[0]] if pairs and draw(st.integers(0, 4)) == 0 else []
        inside = ",".join(f"{draw(SPACES)}{key}{draw(SPACES)}:{draw(SPACES)}{inner}" for key, inner in pairs)
        return "{" + inside + draw(SPACES) + "}"
    if isinstance(value, list):
        return "[" + ",".join(draw(written(inner)) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


OBJECTS = st.dictionaries(KEYLIKE, ANY_VALUES, min_size=1, max_size=3).flatmap(written).map(str.encode)


def more_keys(bulk: Any, lines: list[bytes], keys: list[int], at: Sequence[int] | None = None) -> list[int]:
    block = b"".join(line + b"\n" for line in lines)
    found: list[int] = bulk.with_more_keys(block, bulk.line_ends(block), np.array(keys, np.int64), at)
    return found


@given(content=st.lists(st.tuples(OBJECTS, st.integers(0, 2), st.booleans()), min_size=1, max_size=5))
def test_no_key_is_overlooked(bulk: Any, content: list[tuple[bytes, int, bool]]) -> None:
    """Of rows that have no fewer keys than is said, those with more are always found, other lines or not."""
    lines = [line for line, _, _ in content]
    said = [max(0, keys_in(line) - hidden) for line, hidden, _ in content]
    more = {at for at, line in enumerate(lines) if keys_in(line) > said[at]}
    assert more <= set(more_keys(bulk, lines, said))
    some = [at for at, (_, _, taken) in enumerate(content) if taken]
    found = more_keys(bulk, lines, [said[at] for at in some], some)
    assert more & set(some) <= {some[position] for position in found}


@given(rows=st.lists(st.dictionaries(st.sampled_from("abc"), st.integers() | st.just('say "yes": or')), min_size=1))
def test_plain_rows_are_counted_exactly(bulk: Any, rows: list[dict[str, Any]]) -> None:
    """What JSON writers produce needs no closer look, texts with escaped marks before colons neither."""
    lines = [json.dumps(row).encode() for row in rows]
    really = [keys_in(line) for line in lines]
    assert more_keys(bulk, lines, really) == []
    assert more_keys(bulk, [*lines, b'{"cut": off'], really, range(len(lines))) == []
    assert more_keys(bulk, lines, [0] * len(lines)) == [at for at, count in enumerate(really) if count]


@pytest.mark.parametrize(
    "line",
    [
        b'{"a"\t: "say \\": b", "b": 1}',
        b'{"a": "say \\": b", "x\\\\" : 1}',
        b'{"a": "b", "x\\\\": 1}',
        b'{"a": "say \\": b", "x"\r: 1}',
        b'{"a": "say \\": b", "x"' + b" " * 60 + b": 1}",
        b'{"a": "say \\": b", "x" \t : 1}',
    ],
)
def test_a_hidden_key_is_seen(bulk: Any, line: bytes) -> None:
    """A colon in a text cannot make up for a key that white space or a backslash hides."""
    assert keys_in(line) == 2
    assert more_keys(bulk, [line], [1]) == [0]


def test_megabytes_of_white_space_cost_no_more_than_others(bulk: Any) -> None:
    """A key is seen across them."""
    assert more_keys(bulk, [b'{"a"' + b" " * 4_000_000 + b": 1}"], [0]) == [0]


def test_megabytes_of_backslashes_cost_no_more_than_others(bulk: Any) -> None:
    """Each is looked at once, however many marks they stand before."""
    assert more_keys(bulk, [b'{"a": "' + b"\\" * 4_000_000 + b'", "b": 1}'], [1]) == [0]
