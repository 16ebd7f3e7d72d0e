"""One pass over a file: places, memory, formats, and that both paths through a line agree."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_rows import ROWS, judge, line, rows, text

from droptune.datasets.blocks import MAX_LINE_BYTES, READ_BYTES, blocks, lines_of
from droptune.datasets.check import Options
from droptune.datasets.findings import MAX_IN_FULL, MAX_OF_CODE_ALWAYS, Findings
from droptune.datasets.formats import FORMATS, detect
from droptune.datasets.rowformat import Batch
from droptune.datasets.scan import scan
from droptune.events import Format


def places(data: bytes, code: str) -> list[tuple[int | None, int | None, str | None]]:
    return [(f.line, f.offset, f.pointer) for f in judge(data).findings.listed() if f.code == code]


class Dripping(io.BytesIO):
    """A stream that gives a few bytes at a time, as a network may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(7)

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(7)[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)


def test_a_finding_names_line_offset_and_pointer() -> None:
    """Lines are physical and count from 1, blank ones included; the offset is that of the line's first byte."""
    data = rows("text", 0, 2) + b"\n" + line({**text(3), "output_text": ""}) + rows("text", 4, 20)
    offset = len(rows("text", 0, 2)) + 1
    assert places(data, "TEXT-EMPTY-OUTPUT") == [(4, offset, "/output_text")]


def test_all_problems_of_a_line_are_found_at_once() -> None:
    """A line is judged to its end, however much is wrong with it."""
    bad = {"contents": [{"role": "bot", "parts": [{"text": 1}, {}]}, {"role": "model"}], "systemInstruction": "x"}
    found = {(f.code, f.pointer) for f in judge(rows("gemini_contents", 0, 12) + line(bad)).findings.listed()}
    assert found >= {
        ("GEMINI-ROLE", "/contents/0/role"),
        ("GEMINI-TEXT-TYPE", "/contents/0/parts/0/text"),
        ("GEMINI-PART-NO-KIND", "/contents/0/parts/1"),
        ("GEMINI-MISSING-PARTS", "/contents/1"),
        ("GEMINI-SYSTEM-TYPE", "/systemInstruction"),
    }


def test_the_pieces_in_which_bytes_arrive_change_nothing() -> None:
    """A stream that drips gives the same findings as one that pours."""
    data = rows("text", 0, 30) + b"oops\n" + rows("text", 10, 12) + b"{}\n"
    whole, dripped = Findings(), Findings()
    first = scan(io.BytesIO(data), "x", whole)
    second = scan(Dripping(data), "x", dripped)
    assert whole.listed() == dripped.listed()
    assert (first.rows, first.lines, first.size_bytes) == (second.rows, second.lines, second.size_bytes)


def test_a_huge_line_is_passed_over_and_the_rest_is_read() -> None:
    """A line without end costs bounded memory, is one finding, and does not shift the lines after it."""
    data = rows("text", 0, 12) + b"x" * (MAX_LINE_BYTES + READ_BYTES) + b"\n" + b"{}\n"
    assert [place[0] for place in places(data, "LINE-TOO-LONG")] == [13]
    assert [place[:2] for place in places(data, "TEXT-MISSING-INPUT")] == [(14, len(data) - 3)]


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=30), st.booleans())
def test_blocks_are_the_lines_in_order(content: list[bytes], ends: bool) -> None:
    """Cutting into blocks loses and adds nothing."""
    data = b"\n".join(content) + (b"\n" if ends and content else b"")
    found = [piece for block in blocks(Dripping(data)) for piece in lines_of(block)]
    assert b"\n".join(piece for _, _, piece in found) == data.removesuffix(b"\n")
    assert [number for number, _, _ in found] == list(range(1, len(found) + 1))
    assert all(data[offset : offset + len(piece)] == piece for _, offset, piece in found)


@pytest.mark.parametrize("name", FORMATS)
def test_right_rows_take_the_fast_path(name: Format) -> None:
    """Rows without fault decode into the format's type, have the keys it counts, and break no rule."""
    fmt = FORMATS[name]
    for n in range(5):
        encoded = line(ROWS[name](n))
        batch = fmt.measure([msgspec.json.decode(encoded, type=fmt.row)])
        assert detect(json.loads(encoded)) == name
        assert list(fmt.problems(json.loads(encoded))) == []
        if name != "openai_chat":  # whose weights are looked at row by row
            assert isinstance(batch, Batch)
            assert encoded.count(b'":') == batch.keys


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_right_rows_has_no_finding_about_rows(name: Format) -> None:
    """A file of each format is recognised as such, and every row is counted."""
    checked = judge(rows(name, 0, 120), options=Options(content=False))
    assert checked.scans["train"].shape == name
    assert checked.scans["train"].rows == checked.scans["train"].content.rows == 120
    about_rows = [code for code in checked.findings.by_code if not code.startswith(("PURPOSE", "MODEL", "ROWS"))]
    assert about_rows == []


LEAVES = st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from(["", " ", "a", "\0", 'q":', "b\\"])

KEYS = st.sampled_from(
    [
        "input_text",
        "output_text",
        "messages",
        "contents",
        "role",
        "author",
        "content",
        "parts",
        "text",
        "choice",
        "candidate_0",
        "candidate_1",
        "systemInstruction",
        "tools",
        "fileData",
        "context",
        "/~",
    ]
)


@st.composite
def bent_rows(draw: st.DrawFn) -> tuple[str, Any]:
    """A right row in which up to two places are replaced, removed or added to."""
    name = draw(st.sampled_from(sorted(ROWS)))
    row: Any = ROWS[name](draw(st.integers(0, 9)))
    for _ in range(draw(st.integers(0, 2))):
        spot = row
        while True:
            key = draw(st.sampled_from(sorted(spot))) if isinstance(spot, dict) else draw(st.integers(0, len(spot) - 1))
            inner = spot[key]
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                break
            spot = inner
        action = draw(st.sampled_from(["replace", "remove", "add", "empty"]))
        if action == "remove" and len(spot) > 1:
            del spot[key]
        elif action == "add" and isinstance(spot, dict):
            spot[draw(st.sampled_from(["extra", "role", "author", "context", "text", "choice"]))] = draw(LEAVES)
        elif action == "empty":
            spot[key] = type(inner)()
        else:
            spot[key] = draw(LEAVES)
    return name, row


@given(bent_rows())
def test_a_row_without_errors_can_be_read(bent: tuple[str, Any]) -> None:
    """A row that only has warnings or notes still counts; one with errors does not."""
    name, row = bent
    checked = judge(rows(name, 100, 103) + line(row))
    counted = checked.scans["train"].content.rows
    wrong = any(f.line == 4 and f.severity == "error" for f in checked.findings.listed())
    assert counted == (3 if wrong else 4)


USER, ASSISTANT = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"contents": [{"role": "user"}], "completions": []}, "gemini_preference"),
        ({"contents": [{"role": "user"}], "references": {}}, "reinforcement"),
        ({"contents": [{"role": "user", "parts": []}]}, "gemini_prompts"),
        ({"contents": [{"role": "assistant", "parts": []}]}, "open_contents"),
        ({"contents": "none"}, "gemini_contents"),
        ({"messages": [USER, ASSISTANT]}, "open_chat"),
        ({"messages": [USER]}, "open_prompts"),
        ({"messages": [USER, ASSISTANT], "tools": []}, "openai_chat"),
        ({"messages": [USER, {**ASSISTANT, "weight": 0}]}, "openai_chat"),
        ({"messages": [{"role": "developer", "content": "a"}, USER, ASSISTANT]}, "openai_chat"),
        ({"input": {}, "preferred_output": []}, "openai_preference"),
        ({"prompt": "a", "completion": "b"}, "completion"),
        ({"prompt": "a", "ground_truth": "b"}, "ground_truth"),
        ({"prompt": "a"}, "completion_prompts"),
        ({"_id": "1", "text": "a"}, "embedding_text"),
        ({"request": {}}, "batch_requests"),
        ({"input_text": "a", "contents": []}, "ambiguous"),
        ({"input_text": "a", "choice": 1}, "preference"),
        ({"output_text": "a", "candidate_0": "b"}, "preference"),
        ({"messages": [], "candidate_0": "b"}, "chat_preference"),
        ({"input_text": "a", "output_text": "b", "rationale": "c"}, "text_rationale"),
        ({"question": "a"}, None),
        ({"messages": "none"}, None),
        ({"messages": [{"role": ["user"]}, {"role": {}}]}, "open_prompts"),
    ],
)
def test_shapes_are_told_apart(row: dict[str, Any], shape: str | None) -> None:
    """Every shape of tuning data is known by name; a partial preference row is never taken for text."""
    assert detect(row) == shape
    assert shape in (None, "ambiguous") or shape in FORMATS


def test_a_file_is_what_most_of_its_first_rows_are() -> None:
    """An odd first row does not make all the others wrong."""
    data = line(ROWS["gemini_contents"](1)) + rows("text", 0, 12)
    assert [place[0] for place in places(data, "FORMAT-MIXED")] == [1]


def test_findings_are_capped_and_counted() -> None:
    """A thousand of a severity are kept, all are counted, and a rare fault is kept behind a common one."""
    bad = line({"input_text": "a", "output_text": 1}) * (MAX_IN_FULL + 500)
    checked = judge(rows("text", 0, 3) + bad + line({"input_text": " ", "output_text": "a"}))
    listed = checked.findings.listed()
    assert checked.findings.by_code["TEXT-OUTPUT-TYPE"] == MAX_IN_FULL + 500
    assert MAX_IN_FULL <= len([f for f in listed if f.severity == "error"]) <= MAX_IN_FULL + MAX_OF_CODE_ALWAYS
    assert "TEXT-EMPTY-INPUT" in {f.code for f in listed}


def test_a_note_about_the_file_is_said_once() -> None:
    """A field that no row needs is one finding with a count, not one for each row."""
    data = b"".join(line({**text(n), "id": n}) for n in range(50))
    checked = judge(data)
    assert [f.pointer for f in checked.findings.listed() if f.code == "TEXT-UNKNOWN-FIELD"] == ["/id"]
    assert checked.findings.by_code["TEXT-UNKNOWN-FIELD"] == 50


def test_names_without_end_cost_neither_space_nor_time() -> None:
    """A field's name may be as long as a line, and another on every line: findings stay small and few."""
    data = b"".join(line({**text(n), f"{n}" + "x" * 5_000: 1}) for n in range(MAX_IN_FULL + 200))
    checked = judge(data)
    assert len(checked.findings.listed()) <= MAX_IN_FULL + MAX_OF_CODE_ALWAYS
    assert max(len(msgspec.json.encode(finding)) for finding in checked.findings.listed()) < 2_000


def test_excerpts_are_short_and_printable() -> None:
    """Hostile text in a finding can neither be long nor break the report."""
    data = rows("text", 0, 12) + b'{"input_text": "\\ud800\\u0007' + b"x" * 500 + b'", "output_text": ["y"]}\n'
    for finding in judge(data).findings.listed():
        msgspec.json.encode(finding)
        assert len(finding.excerpt or "") <= 120
        assert (finding.excerpt or "").isprintable()


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda s: s.encode("utf-8", "surrogatepass")))
def test_any_bytes_give_a_report(data: bytes) -> None:
    """Whatever is dropped is judged, alone and among right rows."""
    judge(data)
    judge(rows("text", 0, 12) + data, data)


@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)))
def test_any_json_gives_a_report(value: Any) -> None:
    """Known field names with values of any shape are judged, too."""
    encoded = line(value)
    for name in ROWS:
        judge(rows(name, 0, 3) + encoded)
