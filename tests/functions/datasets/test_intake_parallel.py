"""One file read by several processes, against reading it in one: nothing may differ but the time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_rows import ROWS, line, rows, text

from droptune.datasets import pairs
from droptune.datasets.blocks import MAX_LINE_BYTES, READ_BYTES
from droptune.datasets.findings import MAX_IN_FULL, Findings
from droptune.datasets.formats import FORMATS
from droptune.datasets.parallel import cores, scan_file
from droptune.datasets.rowformat import RowFormat
from droptune.datasets.statistics import summaries

LEAST = 64  # bytes for each process: so few that any file is cut


def outcome(path: Path, processes: int, fmt: RowFormat | None = None) -> dict[str, Any]:
    """All that is known of a file once so many processes read it, but for the sample."""
    findings = Findings()
    scan = scan_file(path, "x", findings, processes=processes, fmt=fmt, least_bytes=LEAST)
    pairs.check_repeats(scan, findings, lambda: path.open("rb"))
    content = scan.content
    lengths = [("prompt", content.prompt), ("answer", content.answer), ("turns", content.turns)]
    assert bool(scan.sample.rows) == bool(content.rows)
    assert all(line_at(path, sampled.offset, sampled.line) for sampled in scan.sample.rows[:50])
    return {
        "findings": sorted(findings.listed(), key=lambda found: (found.code, found.line or 0, found.pointer or "")),
        "counts": findings.by_code,
        "size": (scan.lines, scan.rows, scan.size_bytes, scan.shape, scan.known),
        "statistics": summaries([*lengths, *content.fields.items()]),
        "content": (content.rows, content.turn_count, content.labels, content.totals()),
    }


def line_at(path: Path, offset: int, number: int) -> bool:
    """Whether a line of that number begins there."""
    data = path.read_bytes()
    return data[:offset].count(b"\n") == number - 1 and (offset == 0 or data[offset - 1 : offset] == b"\n")


def assert_same(path: Path, data: bytes, fmt: RowFormat | None = None) -> dict[str, Any]:
    path.write_bytes(data)
    alone = outcome(path, 1, fmt)
    for processes in (2, 3):
        together = outcome(path, processes, fmt)
        for name, value in alone.items():
            assert together[name] == value, (name, processes)
    return alone


def megabytes(make: Callable[[int], bytes], size: int = 2 * READ_BYTES) -> bytes:
    lines: list[bytes] = []
    total = 0
    while total < size:
        lines.append(make(len(lines)))
        total += len(lines[-1])
    return b"".join(lines)


def varied(n: int) -> bytes:
    """Rows of very different length, some of them repeated, conflicting, noted, broken or blank."""
    if n % 97 == 0:
        return b"\n"
    if n % 89 == 0:
        return b'{"input_text": "cut off\n'
    row = {**text(n % 210), "output_text": "x" * (n % 7 * 40) or f"answer {n}"}
    if n % 83 == 0:
        row["id"] = n
    if n % 79 == 0:
        row["input_text"] += " long" * 20_000
    return line(row)


@pytest.mark.parametrize("last", ["", "\n", "no row", '{"input_text": "a", "output_text": "b"}'])
def test_processes_change_nothing(tmp_path: Path, last: str) -> None:
    """Findings, places, repeats and statistics of a file of some megabytes, however its last line ends."""
    found = assert_same(tmp_path / "x", megabytes(varied) + last.encode())
    assert {"DUPLICATE-ROW", "CONFLICTING-ANSWERS", "BLANK-LINE", "JSON-TRUNCATED"} <= set(found["counts"])


@pytest.mark.parametrize("name", ["chat", "preference", "gemini_contents", "gemini_preference", "openai_chat"])
def test_processes_change_nothing_in_any_format(tmp_path: Path, name: str) -> None:
    """The statistics of turns and preferences add up, too."""
    assert_same(tmp_path / "x", megabytes(lambda n: line(ROWS[name](n % 900)), READ_BYTES))


def test_a_line_as_long_as_a_part(tmp_path: Path) -> None:
    """A part that holds no whole line is none; what follows a line without end is read, in every process."""
    long = line({**text(0), "input_text": "long" * READ_BYTES})
    assert_same(tmp_path / "x", rows("text", 0, 5) + long + rows("text", 5, 9))
    huge = b"x" * (MAX_LINE_BYTES + 2 * READ_BYTES) + b"\n"
    rest = rows("text", 0, 40) + b"oops\n"
    found = assert_same(tmp_path / "x", rows("text", 0, 40) + huge * 2 + rest)
    assert found["counts"]["LINE-TOO-LONG"] == 2
    assert found["size"][0] == 83


def test_more_findings_than_are_kept(tmp_path: Path) -> None:
    """Which findings are kept does not depend on who found them."""
    bad = line({"input_text": "a", "output_text": 1})
    rare = line({"input_text": " ", "output_text": "a"})
    data = rows("text", 0, 20) + bad * (MAX_IN_FULL - 10) + rare * 30 + bad * 2_000 + rare
    assert_same(tmp_path / "x", data)


@pytest.mark.parametrize(
    "data",
    [
        json.dumps([text(n) for n in range(400)], indent=1).encode(),
        json.dumps(text(1), indent=2).encode() * 100,
        b"oops\n" * 3_000,
        b"\n" * 3_000,
        b'{"question": "a"}\n' * 3_000,
        rows("text", 0, 300).replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + rows("text", 0, 300),
        b'{"input_text": "a", "contents": []}\n' * 300,
        b"",
    ],
    ids=["array", "pretty", "broken", "blank", "unknown", "crlf", "bom", "ambiguous", "empty"],
)
@pytest.mark.parametrize("forced", [False, True])
def test_files_that_are_not_plain_json_lines(tmp_path: Path, data: bytes, forced: bool) -> None:
    """What is wrong with a file as a whole is said once, as by one process, with and without a given format."""
    assert_same(tmp_path / "x", data, FORMATS["text"] if forced else None)


PIECES = st.sampled_from(
    [
        *(line(text(n)) for n in range(3)),
        *(b"\n", b"{}\n", b"oops\n", b"\r\n"),
        line({**text(1), "id": "x" * 70}),
        msgspec.json.encode({**text(2), "further": [1]}) + b"\r\n",
    ]
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(PIECES, min_size=4, max_size=40), st.booleans())
def test_small_files_cut_anywhere(tmp_path: Path, pieces: list[bytes], ends: bool) -> None:
    """Wherever the cuts fall."""
    data = line(text(9)) + b"".join(pieces)
    assert_same(tmp_path / "x", data if ends else data.removesuffix(b"\n"))


def test_there_is_a_processor() -> None:
    """At least the one that this runs on."""
    assert cores() >= 1
