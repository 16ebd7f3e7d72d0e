"""A corrected copy holds right rows only, changes no meaning, and every row is in it or in quarantine."""

from __future__ import annotations

import base64
import codecs
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from droptune.datasets.formats import FORMATS
from droptune.datasets.judging import Judge, errors
from droptune.datasets.repair import Fixed, Options, fix_stream, fix_table
from droptune.datasets.repair.changes import CHANGES
from droptune.datasets.repair.fixing import DEFAULT
from droptune.datasets.repair.rows import REPAIRS
from droptune.datasets.setaside import SetAside
from droptune.events import Format

Row = dict[str, Any]
RIGHT: Row = {"input_text": "Où est ma carte ?", "output_text": "card_arrival 😀"}
OTHER: Row = {"input_text": "q", "output_text": "a"}


def fix(data: bytes, options: Options = DEFAULT, fmt: Format | None = None) -> tuple[bytes, list[Row], Fixed]:
    """The corrected copy, the quarantine and what is said of them."""
    out, quarantine = io.BytesIO(), io.BytesIO()
    result = fix_stream(
        lambda: io.BytesIO(data), out, SetAside(lambda: quarantine), options, None if fmt is None else FORMATS[fmt]
    )
    return out.getvalue(), objects(quarantine.getvalue()), result


def objects(data: bytes) -> list[Row]:
    return [json.loads(line) for line in data.decode("utf-8").split("\n") if line]


def line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def kinds(result: Fixed) -> set[str]:
    return {kind for kind, _ in result.changes.listed()}


PLAIN = line(RIGHT) + line(OTHER)
FILES: list[tuple[str, bytes, set[str]]] = [
    ("right", PLAIN, set()),
    ("mark", codecs.BOM_UTF8 + PLAIN, {"bom"}),
    ("crlf", PLAIN.replace(b"\n", b"\r\n"), {"crlf"}),
    ("blank", line(RIGHT) + b"\n  \n" + line(OTHER) + b"\n", {"blank"}),
    ("no final newline", PLAIN.rstrip(b"\n"), {"final_newline"}),
    ("gzip", gzip.compress(PLAIN), {"gzip"}),
    ("gzip of two members", gzip.compress(line(RIGHT)) + gzip.compress(line(OTHER)), {"gzip"}),
    ("utf-16", PLAIN.decode().encode("utf-16"), {"utf16", "bom"}),
    ("utf-16 without mark", PLAIN.decode().encode("utf-16-le"), {"utf16"}),
    ("utf-16 big-endian", codecs.BOM_UTF16_BE + PLAIN.decode().encode("utf-16-be"), {"utf16", "bom"}),
    ("utf-32", PLAIN.decode().encode("utf-32"), {"utf16", "bom"}),
    ("gzip of utf-16", gzip.compress(PLAIN.decode().encode("utf-16")), {"gzip", "utf16", "bom"}),
    ("array", json.dumps([RIGHT, OTHER]).encode(), {"array"}),
    ("pretty array", json.dumps([RIGHT, OTHER], indent=2).encode(), {"array", "several_lines"}),
    ("pretty", b"\n".join(json.dumps(row, indent=2).encode() for row in (RIGHT, OTHER)) + b"\n", {"several_lines"}),
    ("two on a line", PLAIN.replace(b"}\n{", b"} {"), {"two_values"}),
    ("commas between lines", PLAIN.replace(b"}\n{", b"},\n{"), {"trailing_comma"}),
    ("comma before a bracket", PLAIN.replace(b'"}\n', b'",}\n'), {"trailing_comma"}),
    ("python", f"{RIGHT!r}\n{OTHER!r}\n".encode(), {"python"}),
    ("nul", PLAIN.replace(b"card", b"c\0ard"), {"nul"}),
    ("nul escape", PLAIN.replace(b"card", b"c\\u0000ard"), {"nul"}),
    ("field twice", PLAIN.replace(b'{"input_text": "q"', b'{"input_text": "q", "input_text": "q"'), {"duplicate_key"}),
]


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_what_is_wrong_with_a_file_is_put_right_without_loss(data: bytes, expected: set[str]) -> None:
    """Bytes, layout and JSON are corrected to the same rows, and what was done is said."""
    if not expected:
        assert fix(data)[0] == data
    out, quarantine, result = fix(data, fmt="text")
    assert objects(out) == [RIGHT, OTHER]
    assert not quarantine
    assert kinds(result) == expected
    assert out.endswith(b"\n")


def _chat(*turns: tuple[str, str], **more: Any) -> Row:
    return {**more, "messages": [{"author": author, "content": content} for author, content in turns]}


def _messages(*turns: tuple[str, Any]) -> Row:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def _contents(*turns: tuple[str, str], **more: Any) -> Row:
    return {**more, "contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]}


SYSTEM = {"systemInstruction": {"role": "system", "parts": [{"text": "s"}]}}
PAIR = {"input_text": "q", "candidate_0": "a", "candidate_1": "b"}
ROWS: list[tuple[Format, Row, Row, str]] = [
    ("text", {"input_text": "q", "output_text": 3}, {"input_text": "q", "output_text": "3"}, "text"),
    ("text", {"input_text": True, "output_text": "a"}, {"input_text": "true", "output_text": "a"}, "text"),
    *(("preference", {**PAIR, "choice": given}, {**PAIR, "choice": 1}, "number") for given in ("1", True, 1.0, "1.0")),
    ("preference", {**PAIR, "choice": False}, {**PAIR, "choice": 0}, "number"),
    (
        "chat",
        _chat(("user", "q"), ("model", "a"), ("Human", "r"), ("bot", "b")),
        _chat(("user", "q"), ("assistant", "a"), ("user", "r"), ("assistant", "b")),
        "role",
    ),
    (
        "chat",
        _chat(("system", "s"), ("user", "q"), ("assistant", "a")),
        _chat(("user", "q"), ("assistant", "a"), context="s"),
        "system",
    ),
    (
        "chat",
        _chat(("user", "q"), ("user", "r"), ("assistant", "a")),
        _chat(("user", "q\n\nr"), ("assistant", "a")),
        "neighbours",
    ),
    (
        "chat",
        _chat(("user", "q"), ("assistant", "a"), ("user", " ")),
        _chat(("user", "q"), ("assistant", "a")),
        "empty_turn",
    ),
    ("gemini_messages", _messages(("user", "q"), ("gpt", "a"), ("user", "r"), ("model", "b")),
     _messages(("user", "q"), ("model", "a"), ("user", "r"), ("model", "b")), "role"),
    ("open_chat", _messages(("human", "q"), ("assistant", "a")), _messages(("user", "q"), ("assistant", "a")), "role"),
    ("gemini_contents", _contents(("user", "q"), ("assistant", "a"), ("user", "r"), ("model", "b")),
     _contents(("user", "q"), ("model", "a"), ("user", "r"), ("model", "b")), "role"),
    ("gemini_contents", _contents(("system", "s"), ("user", "q"), ("model", "a")),
     _contents(("user", "q"), ("model", "a"), **SYSTEM), "system"),
    ("gemini_contents", _contents(("user", "q"), ("model", "a"), system_instruction=SYSTEM["systemInstruction"]),
     _contents(("user", "q"), ("model", "a"), **SYSTEM), "snake_case"),
    ("gemini_contents", _contents(("user", "q"), ("model", "a"), systemInstruction="s"),
     _contents(("user", "q"), ("model", "a"), **SYSTEM), "parts"),
    ("gemini_contents", _contents(("user", "q"), ("user", "r"), ("model", "a")),
     _contents(("user", "q\n\nr"), ("model", "a")), "neighbours"),
    ("gemini_contents", {"contents": [{"role": "user", "parts": "q"}, {"role": "model", "parts": ["a"]}]},
     _contents(("user", "q"), ("model", "a")), "parts"),
]  # fmt: skip


@pytest.mark.parametrize(("fmt", "wrong", "right", "kind"), ROWS)
def test_a_row_with_one_certain_correction_is_put_right(fmt: Format, wrong: Row, right: Row, kind: str) -> None:
    """A row whose meaning is certain is written as its format wants it, once, and stays as it is the next time."""
    out, quarantine, result = fix(line(wrong), fmt=fmt)
    assert objects(out) == [right]
    assert not quarantine
    assert kinds(result) == {kind}
    assert fix(out, fmt=fmt)[0] == out


REMOVED: list[tuple[bytes, str]] = [
    (b'{"input_text": "q", "output_text": NaN}', "JSON-NAN"),
    (b'{"input_text": "q", "input_text": "r", "output_text": "a"}', "DUPLICATE-KEY"),
    (b'{"input_text": "\\ud83d", "output_text": "a"}', "LONE-SURROGATE"),
    (b'{"input_text": "caf\xe9", "output_text": "a"}', "BAD-UTF8"),
    (b'{"input_text": "q", "output_text": "a', "JSON-TRUNCATED"),
    (b'{"input_text": "q", "output_text": "a",', "JSON-TRUNCATED"),
    (b'{"input_text": "q", "output_text": null}', "TEXT-OUTPUT-TYPE"),
    (b'{"input_text": "q", "output_text": " "}', "TEXT-EMPTY-OUTPUT"),
    (b'["q", "a"]', "NOT-OBJECT"),
    (b'{"input_text": "q", "output_text": __import__("os").getcwd()}', "JSON-SYNTAX"),
    (b"{'input_text': 'q', 'input_text': 'r', 'output_text': 'a'}", "JSON-SINGLE-QUOTES"),
    (b'{"contents": [{"role": "user", "parts": [{"text": "q"}]}]}', "FORMAT-MIXED"),
]


@pytest.mark.parametrize(("bad", "code"), REMOVED)
def test_what_is_not_certain_goes_to_quarantine_with_its_bytes(bad: bytes, code: str) -> None:
    """A removed row keeps its line, offset, bytes and every reason; the rows around it are kept."""
    out, (entry,), result = fix(line(RIGHT) + bad + b"\n" + line(OTHER))
    assert objects(out) == [RIGHT, OTHER]
    assert (result.kept, result.removed) == (2, 1)
    assert (entry["line"], entry["offset"]) == (2, len(line(RIGHT)))
    assert code in entry["codes"]
    assert len(entry["codes"]) == len(entry["reasons"])
    assert raw_of(entry) == bad


def raw_of(entry: Row) -> bytes:
    return base64.b64decode(entry["raw_base64"]) if "raw_base64" in entry else entry["raw"].encode("utf-8")


def test_a_broken_line_does_not_take_the_next_ones_with_it() -> None:
    """A line that ends within its value is removed alone, however many rows follow."""
    out, quarantine, _ = fix(line(RIGHT) + b'{"input_text": "q",\n' + line(OTHER) * 5_000)
    assert len(objects(out)) == 5_001
    assert [entry["line"] for entry in quarantine] == [2]


def test_values_over_several_lines_are_found_across_blocks() -> None:
    """Pretty-printed values are put on one line each also where a block of the file ends within one."""
    rows = [{"input_text": f"q{n}", "output_text": "a" * (n % 97 + 1)} for n in range(20_000)]
    data = "\n".join(json.dumps(row, indent=4) for row in rows).encode()
    out, quarantine, _ = fix(data)
    assert objects(out) == rows
    assert not quarantine


def test_an_array_may_be_one_line_of_any_length() -> None:
    """An array is cut at its elements, a broken one is removed alone, and places are those of the file."""
    rows = [{"input_text": f"q{n}", "output_text": "é" * 300} for n in range(2_000)]
    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    texts[1_000] = texts[1_000].replace('"output_text"', "output_text")
    data = f"[{', '.join(texts)}]".encode()
    out, (entry,), _ = fix(data)
    assert objects(out) == rows[:1_000] + rows[1_001:]
    assert data[entry["offset"] :].startswith(raw_of(entry))
    assert raw_of(entry) == texts[1_000].encode()


def test_options_do_what_is_not_done_unasked() -> None:
    """Unknown fields, repeated rows and other encodings are changed only when the user says so."""
    extra, latin = line({**RIGHT, "id": 1}), '{"input_text": "café", "output_text": "a"}\n'.encode("windows-1252")
    data = extra + line(OTHER) + line(dict(reversed(OTHER.items()))) + latin
    out, quarantine, _ = fix(data)
    assert objects(out) == [{**RIGHT, "id": 1}, OTHER, OTHER]
    assert len(quarantine) == 1
    out, (repeated,), result = fix(data, Options("windows-1252", drop_unknown=True, deduplicate=True))
    assert objects(out) == [RIGHT, OTHER, {"input_text": "café", "output_text": "a"}]
    assert (repeated["codes"], repeated["line"]) == (["DUPLICATE-ROW"], 3)
    assert kinds(result) == {"encoding", "unknown_field"}


def test_a_damaged_archive_gives_what_is_left_of_it() -> None:
    """Rows before the damage of a compressed file are kept, and the damage is said."""
    whole = gzip.compress(PLAIN * 2_000, 1)
    out, _, result = fix(whole[: len(whole) // 2])
    assert result.damaged
    assert set(map(str, objects(out))) <= {str(RIGHT), str(OTHER)}
    assert not fix(whole)[2].damaged


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FILE-EMPTY"),
        (b"\n\n", "FILE-EMPTY"),
        (b"PK\x03\x04..", "FILE-ZIP"),
        (b"PAR1..", "FILE-PARQUET"),
        (b"a,b\n1,2\n", "FORMAT-UNKNOWN"),
    ],
)
def test_what_is_no_data_set_is_refused_by_name(data: bytes, code: str) -> None:
    """A file without a row of any format is not corrected, and the rule that says why is named."""
    assert fix(data)[2].refused == code


def test_every_kind_of_change_has_words_and_every_format_its_repairs() -> None:
    """No repair is silent, and no format is left out."""
    assert all(CHANGES.values())
    assert REPAIRS.keys() == FORMATS.keys()


TABLE = b"query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t\n"
TABLES: list[tuple[bytes, set[str]]] = [
    (TABLE, set()),
    (codecs.BOM_UTF8 + TABLE, {"bom"}),
    (TABLE.replace(b"\n", b"\r\n"), {"crlf"}),
    (TABLE.replace(b"\nq2", b"\n\nq2"), {"blank"}),
    (TABLE.replace(b"query-id", b"Query_ID"), {"column_name"}),
    (TABLE.replace(b"\t", b","), {"separator"}),
    (TABLE.partition(b"\n")[2], {"header"}),
    (TABLE.partition(b"\n")[2].replace(b"\t", b";"), {"header", "separator"}),
]


@pytest.mark.parametrize(("data", "expected"), TABLES)
def test_a_table_of_labels_is_put_right(data: bytes, expected: set[str]) -> None:
    """Labels get a header, its names and tabs, and no line is lost."""
    out, quarantine = io.BytesIO(), io.BytesIO()
    result = fix_table(lambda: io.BytesIO(data), out, SetAside(lambda: quarantine))
    assert out.getvalue() == TABLE
    assert not quarantine.getvalue()
    assert kinds(result) == expected
    assert result.kept == 2


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"q3", "LABELS-CELLS-FEW"),
        (b"q3\td3\t1\t1", "LABELS-CELLS-MANY"),
        (b"q3\t \t1", "LABELS-EMPTY-ID"),
        (b"q3\td3\t0.5", "LABELS-SCORE-TYPE"),
        (b"q3\td3\t-1", "LABELS-SCORE-NEGATIVE"),
        (b"q1\td1\t1", "LABELS-DUPLICATE"),
        (b"q\xff\td3\t1", "LABELS-ENCODING"),
    ],
)
def test_a_broken_label_goes_to_quarantine(bad: bytes, code: str) -> None:
    """A line of labels that is wrong is removed alone, with its place and its reason."""
    out, (entry,), result = fix(TABLE + bad + b"\n")
    assert out == TABLE
    assert (entry["codes"], entry["line"], raw_of(entry)) == ([code], 4, bad)
    assert result.format == "embedding_labels"


def test_a_table_without_a_column_is_refused() -> None:
    """Which column is meant is not guessed."""
    assert fix(TABLE.replace(b"corpus-id", b"doc"))[2].refused == "LABELS-MISSING-COLUMN"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([TABLE, b"q\td\n", b"a,b", b"\t", b"\n", b"\xff", b"query-id", b"corpus_id,"])).map(
        b"".join
    )
)
@example(b"a,b\na,bq\td\n")
def test_any_table_is_corrected_once_and_for_all(data: bytes) -> None:
    """Whatever the bytes of a table, correcting the correction changes nothing."""
    out = io.BytesIO()
    result = fix_table(lambda: io.BytesIO(data), out, SetAside(io.BytesIO))
    if result.refused is None:
        again = io.BytesIO()
        assert not kinds(fix_table(lambda: io.BytesIO(out.getvalue()), again, SetAside(io.BytesIO)))
        assert again.getvalue() == out.getvalue()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(
    [
        *("input_text", "output_text", "context", "messages", "contents", "systemInstruction", "candidate_0"),
        *("candidate_1", "choice", "completions", "references", "request", "prompt", "completion", "_id", "text"),
        *("input", "preferred_output", "non_preferred_output", "tools", "system_instruction"),
    ]
)
turns = st.lists(
    st.dictionaries(
        st.sampled_from(["role", "author", "content", "parts", "text", "weight", "tool_calls"]),
        st.sampled_from(
            ["user", "model", "assistant", "system", "", "x", [{"text": "y"}], [{"text": " "}], ["z"], {"text": 1}]
        )
        | json_values,
        max_size=3,
    ),
    max_size=4,
)
rows = st.dictionaries(fields, json_values | turns | st.text(max_size=5), max_size=5)
pieces = st.one_of(
    rows.map(lambda row: json.dumps(row).encode()),
    rows.map(lambda row: json.dumps(row, indent=1).encode()),
    rows.map(lambda row: json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    rows.map(lambda row: repr(row).encode("utf-8", "surrogatepass")),
    st.binary(max_size=30),
    st.sampled_from(
        [line(RIGHT), line(OTHER), b"[", b"]", b",", b"{", b'{"a": [', b"\r", b"\0", codecs.BOM_UTF8, b"\xff\xfe"]
    ),
    st.sampled_from([line(wrong) for _, wrong, _, _ in ROWS]),
)
files = st.lists(pieces, max_size=6).map(b"\n".join) | st.binary(max_size=200)


@settings(max_examples=150, deadline=None)
@given(files, st.sampled_from([DEFAULT, Options("windows-1252", drop_unknown=True, deduplicate=True)]))
def test_any_bytes_give_right_rows_and_nothing_raises(data: bytes, options: Options) -> None:
    """Whatever the file, what is written is right by the same rules, and correcting it again changes nothing."""
    out, quarantine, result = fix(data, options)
    assert len(quarantine) == result.removed
    assert all(entry["reasons"] for entry in quarantine)
    if result.format is None:
        assert result.refused
        assert not out
        return
    judge = Judge(FORMATS[result.format])
    written = out.split(b"\n")[:-1]
    assert len(written) == result.kept
    assert not [problem for row in written for problem in errors(judge.line(row)[1])]
    again, removed, second = fix(out, options, result.format)
    if out:
        assert again == out
        assert not removed
        assert not kinds(second)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [line(RIGHT), b'{"broken\n', b"\n", b"[1]\n", line({"input_text": "q", "output_text": 1}), b"\xff\n"]
        ),
        min_size=1,
    )
)
def test_every_line_is_accounted_for(given_lines: list[bytes]) -> None:
    """Rows written, rows removed and blank lines add up to the lines that were there."""
    _, quarantine, result = fix(b"".join(given_lines), fmt="text")
    blank = dict(result.changes.listed()).get("blank")
    assert result.kept + len(quarantine) + (blank.times if blank else 0) == len(given_lines)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(REPAIRS)), rows)
def test_a_right_row_is_written_byte_for_byte(fmt: Format, row: Row) -> None:
    """A row without any finding is not rewritten."""
    data = json.dumps(row).encode() + b"\n"
    if not Judge(FORMATS[fmt]).line(data)[1]:
        assert fix(data, fmt=fmt)[0] == data
