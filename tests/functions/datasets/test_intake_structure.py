"""What the bytes of a block say of its lines, against what reading each of them says."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.datasets.structure import Lines, lines_of_bytes


def lines(data: bytes) -> Lines:
    return lines_of_bytes(data)


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
