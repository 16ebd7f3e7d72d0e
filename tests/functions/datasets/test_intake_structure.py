"""What the bytes of a block say of its lines, against what reading each of them says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.datasets.structure import Lines, lines_of_bytes

# Where a text looks most like the end of a key, and where white space hides one.
TEXTS = st.text(st.sampled_from('a":\\ \t{},é💳'), max_size=8)
SPACES = st.text(st.sampled_from(" \t\r"), max_size=3) | st.just("") | st.just(" " * 40)
VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def lines(data: bytes) -> Lines:
    return lines_of_bytes(data)


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


OBJECTS = st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3).flatmap(written).map(str.encode)


@given(st.lists(st.sampled_from([b"\n", b"\n\n\n", b"a", b"bb" * 8, b"\r\n", b"c" * 7, b"\x00\x0a\x0b"]), max_size=20))
def test_newlines_are_found_wherever_they_are(pieces: list[bytes]) -> None:
    """Alone or several within eight bytes, at any place: every line break ends a line."""
    data = b"".join(pieces) + b"\n"
    found = lines(data)
    assert found.ends.tolist() == [at for at, byte in enumerate(data) if byte == 0x0A]
    assert [data[start:end] for start, end in zip(found.starts.tolist(), found.ends.tolist(), strict=True)] == (
        data.split(b"\n")[:-1]
    )
    assert found.sizes.tolist() == [len(line) for line in data.split(b"\n")[:-1]]
    assert len(found) == data.count(b"\n")


@pytest.mark.parametrize("size", [262_142, 262_143, 262_144, 262_145, 524_288, 700_001])
def test_newlines_are_found_in_large_blocks(size: int) -> None:
    """However a block is searched, line breaks around powers of two are found where they are."""
    assert lines(b"x" * size + b"\n" + b"y\n").ends.tolist() == [size, size + 2]


@given(st.lists(st.text(st.sampled_from("{}\r a"), max_size=4).map(str.encode), min_size=1, max_size=8))
def test_what_a_line_begins_and_ends_with(content: list[bytes]) -> None:
    """Braces at both ends make an object, one CR before the line break aside; a line of CR alone ends with one."""
    found = lines(b"\n".join(content) + b"\n")
    bare = [line.removesuffix(b"\r") for line in content]
    assert found.objects().tolist() == [line.startswith(b"{") and line.endswith(b"}") for line in bare]
    assert found.returns().tolist() == [line.endswith(b"\r") for line in content]


@given(st.lists(OBJECTS, min_size=1, max_size=4))
def test_no_key_is_overlooked(content: list[bytes]) -> None:
    """A line has never more keys than were counted; where the number of all is certain, it is right."""
    found = lines(b"\n".join(content) + b"\n")
    counted, really = found.keys_of_each().tolist(), [keys_in(line) for line in content]
    assert all(here >= there for here, there in zip(counted, really, strict=True))
    for claimed in range(sum(really) + 3):
        assert not found.have_keys(claimed) or claimed >= sum(really)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers() | st.just('say "yes": or')), min_size=1))
def test_plain_rows_are_counted_exactly(rows: list[dict[str, Any]]) -> None:
    """What JSON writers produce needs no closer look, texts with escaped marks before colons neither."""
    content = [json.dumps(row).encode() for row in rows]
    found = lines(b"\n".join(content) + b"\n")
    really = [keys_in(line) for line in content]
    assert found.keys_of_each().tolist() == really
    assert found.have_keys(sum(really))


@pytest.mark.parametrize(
    "line",
    [
        rb'{"a"	: "say \": b", "b": 1}',
        rb'{"a": "say \": b", "x\\" : 1}',
        rb'{"a": "b", "x\\": 1}',
        b'{"a": "say \\": b", "x"\r: 1}',
        b'{"a": "say \\": b", "x"' + b" " * 60 + b": 1}",
        b'{"a": "say \\": b", "x" \t : 1}',
    ],
)
def test_a_hidden_key_is_seen(line: bytes) -> None:
    """A colon in a text cannot make up for a key that white space or a backslash hides."""
    found = lines(line + b"\n")
    assert not found.have_keys(1)
    assert found.keys_of_each().tolist()[0] >= 2


def test_megabytes_of_white_space_cost_no_more_than_others() -> None:
    """White space before a colon is followed for a few bytes, not one after the other for megabytes."""
    found = lines(b'{"a"' + b" " * 4_000_000 + b": 1}\n")
    assert not found.have_keys(1)
    assert found.keys_of_each().tolist() == [1]


@given(st.text(st.sampled_from("\\\\\\u0041b"), max_size=14), st.integers(0, 5))
def test_an_escaped_nul_is_seen(text: str, before: int) -> None:
    """Every escape of U+0000 is found; without those six characters nothing is."""
    data = b" " * before + text.encode() + b"\n"
    escapes = re.sub(rb"\\\\", b"", data)  # an escaped backslash begins no escape
    found = lines(data).escaped_nul()
    assert found or b"\\u0000" not in escapes
    assert not found or b"\\u0000" in data


def test_the_name_of_nul_in_a_text_is_no_nul() -> None:
    """Programs and patterns may say ``\\u0000``, written with an escaped backslash."""
    assert not lines(json.dumps({"a": r"[\u0000-\u001f]"}).encode() + b"\n").escaped_nul()


@given(st.lists(st.sampled_from([b"", b"\r", b" ", b"{}", b"\r\r", b"a\r"]), min_size=1))
def test_blank_lines_are_those_without_bytes(content: list[bytes]) -> None:
    """A CR before the line break belongs to the break; spaces are bytes."""
    assert lines(b"\n".join(content) + b"\n").blank().tolist() == [line in (b"", b"\r") for line in content]
