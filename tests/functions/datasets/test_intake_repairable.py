"""`droptune check` calls a data set repairable exactly when `droptune fix` corrects it without loss."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_agreement import mutated
from intake_rows import ROWS, judge, line, rows
from test_intake_remedies import LINES, broken_file

from droptune.datasets.check import Options
from droptune.datasets.describe import build, verdict
from droptune.datasets.grouping import groups
from droptune.datasets.page.findings import findings as findings_of_page
from droptune.datasets.repair import Fixed, fix_stream
from droptune.datasets.repair import Options as Fixing
from droptune.datasets.setaside import SetAside
from droptune.datasets.wording import Wording

BY_LINE = Options(line_only=True, content=False)
WHOLE = Options(content=False)
GOOD = rows("text", 0, 12)
LONG = "9" * 5_000


def fixed(data: bytes) -> tuple[bytes, Fixed]:
    """The corrected file, and what was done."""
    out = io.BytesIO()
    result = fix_stream(lambda: io.BytesIO(data), out, SetAside(io.BytesIO))
    return out.getvalue(), result


def assert_agreement(data: bytes, options: Options) -> str:
    """Hold the verdict on a file against what is made of it; the verdict."""
    checked = judge(data, options=options)
    said = verdict(checked.findings)
    out, result = fixed(data)
    whole = result.refused is None and not result.removed and not result.damaged
    if said in ("valid", "warn"):
        assert whole
    else:
        right = whole and not judge(out, options=options).findings.blocking
        assert said == ("repairable" if right else "invalid"), checked.findings.listed()
    if said == "repairable":
        assert not {one.remedy for one in checked.findings.listed() if one.severity == "error"} & {"remove", "none"}
    return said


# Some examples are about several files.
EXAMPLES = {one.code: data for one in LINES if (data := broken_file(one)) is not None}


@pytest.mark.parametrize("data", EXAMPLES.values(), ids=EXAMPLES)
def test_the_examples_of_rules_are_called_what_they_are(data: bytes) -> None:
    """Among right rows of its format, a wrong example is repairable when no row is lost and no error is left."""
    assert_agreement(data, BY_LINE)


def texts(value: Any) -> Iterator[str]:
    """What a value says: its texts and numbers, but for names of roles and kinds, which are put right."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("role", "author", "from", "type"):
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value.replace("\0", "").strip()
    elif type(value) in (int, float):
        yield json.dumps(value)


NAMES = ("input_text", "output_text", "messages", "contents", "context", "choice", "role", "content", "parts", "note")
broken_rows = st.sampled_from(sorted(ROWS)).flatmap(
    lambda fmt: st.tuples(st.just(fmt), mutated([ROWS[fmt](n) for n in range(90, 93)], NAMES))
)
DAMAGE: tuple[bytes, ...] = (
    *(b"\t", b"\r", b"\n", b",", b"}", b"{", b"[", b"]", b'"', b"'", b"\\", b"\0", b"\xff", b"\\u0000", b"\\ud800"),
    *(b"NaN", b"1e999", LONG.encode(), b"null", b"\xef\xbb\xbf", b"True", b" ", b'{"input_text": "x"}', b',"a":1e999'),
)


@settings(max_examples=250, deadline=None)
@given(broken_rows, st.booleans())
def test_rows_of_any_format_are_called_what_they_are(broken: tuple[str, Any], pretty: bool) -> None:
    """Whatever is changed in right rows, on one line or several, the verdict is what becomes of them."""
    fmt, row = broken
    text = json.dumps(row, indent=1 if pretty else None, ensure_ascii=False).encode() + b"\n"
    data = rows(fmt, 0, 4) + text + rows(fmt, 4, 6)
    if assert_agreement(data, BY_LINE) == "repairable":
        (mended,) = [json.loads(one) for one in fixed(data)[0].split(b"\n")[4:-3]]
        said = "\n".join(texts(mended))
        assert all(text in said for text in texts(row))


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(sorted(ROWS)),
    st.lists(st.tuples(st.sampled_from(DAMAGE), st.floats(0, 1), st.integers(0, 3)), min_size=1, max_size=3),
)
def test_damaged_bytes_are_called_what_they_are(fmt: str, damage: list[tuple[bytes, float, int]]) -> None:
    """Wherever bytes get into a file or replace others, the verdict is what becomes of its lines."""
    data = bytearray(rows(fmt, 0, 6))
    for token, place, length in damage:
        at = int(place * len(data))
        data[at : at + length] = token
    assert_agreement(bytes(data), BY_LINE)


RIGHT = {"input_text": "Où?", "output_text": "là"}
PLAIN = line(RIGHT)
WHOLE_FILES: dict[str, tuple[bytes, str]] = {
    "a value over several lines": (GOOD + json.dumps(RIGHT, indent=2).encode() + b"\n", "repairable"),
    "too few rows without the lines of a value": (
        rows("text", 0, 8) + json.dumps(RIGHT, indent=2).encode() + b"\n",
        "invalid",
    ),
    "enough rows once two on a line are two": (GOOD.replace(b"}\n{", b"} {", 5), "repairable"),
    "CR between rows": (GOOD.replace(b"\n", b"\r"), "repairable"),
    "UTF-16 without mark": (GOOD.decode().encode("utf-16-le"), "repairable"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "repairable"),
    "an array": (b"[" + GOOD.replace(b"}\n{", b"},{") + b"]", "repairable"),
    "an array of too few rows": (b"[" + rows("text", 0, 3).replace(b"}\n{", b"},{") + b"]", "invalid"),
    "an array with a wrong row": (
        b"[" + GOOD.replace(b"}\n{", b"},{").replace(b'"lost_card"', b"null", 1) + b"]",
        "invalid",
    ),
    "Python dictionaries": ("".join(f"{json.loads(one)}\n" for one in GOOD.splitlines()).encode(), "repairable"),
    "rows of no format": (b"{'a': 1}\n" * 12, "invalid"),
    "a mark before a wrong row": (b"\xef\xbb\xbf" + line({**RIGHT, "output_text": None}) + GOOD, "invalid"),
    "a mark within the file": (GOOD + b"\xef\xbb\xbf" + PLAIN, "repairable"),
    "a tab in a text": (GOOD + PLAIN.replace(b"O", b"\t"), "repairable"),
    "more errors than are listed": (GOOD + line({**RIGHT, "output_text": 5}) * 2_000, "repairable"),
    "one that is lost after all that are listed": (
        GOOD + line({**RIGHT, "output_text": 5}) * 2_000 + line({**RIGHT, "output_text": None}),
        "invalid",
    ),
    "a number beyond all in an unknown field": (GOOD[:-2] + b', "n": 1e999}\n', "warn"),
    "a number of too many digits in an unknown field": (
        GOOD[:-2] + f', "n": {LONG}}}\n'.encode(),
        "warn",
    ),
    "such a number in a row to be corrected": (
        GOOD + line({**RIGHT, "output_text": 5})[:-2] + b', "n": 1e999}\n',
        "invalid",
    ),
    "such a number as a text": (GOOD + b'{"input_text": "q", "output_text": 1e999}\n', "invalid"),
    "two such numbers as one field": (
        GOOD + line(RIGHT)[:-2] + f', "n": {LONG}, "n": {LONG}1}}\n'.encode(),
        "invalid",
    ),
}


@pytest.mark.parametrize(("data", "expected"), WHOLE_FILES.values(), ids=WHOLE_FILES.keys())
def test_whole_files_are_called_what_they_are(data: bytes, expected: str) -> None:
    """Layout, number of rows and what is beyond the listed findings count as they are in the corrected file."""
    assert assert_agreement(data, WHOLE) == expected


def test_ids_that_repeat_once_they_are_corrected_are_an_error() -> None:
    """A number that becomes a text may be another row's id: then the set is not right after the correction."""
    labels = "query-id\tcorpus-id\tscore\n" + "".join(f"q{n}\tdoc{n}\t1\n" for n in range(10))
    queries = b"".join(line({"_id": f"q{n}", "text": f"Question {n}?"}) for n in range(10))
    corpus = rows("embedding_text", 0, 10) + line({"_id": "7", "text": "Seven."})
    for number, expected in ((8, "repairable"), (7, "invalid")):
        broken = corpus + line({"_id": number, "text": "Another."})
        checked = judge(corpus=broken, queries=queries, labels=labels.encode(), options=BY_LINE)
        assert verdict(checked.findings) == expected


def test_numbers_that_nothing_reads_are_told_apart() -> None:
    """Rows are not taken for one because numbers in them are too large to read."""
    same, other = (line(RIGHT)[:-2] + f', "n": {LONG}{digit}}}\n'.encode() for digit in "01")
    data, out = same + other + same, io.BytesIO()
    result = fix_stream(lambda: io.BytesIO(data), out, SetAside(io.BytesIO), Fixing(deduplicate=True))
    assert (out.getvalue(), result.removed) == (same + other, 1)


def test_a_tab_in_a_text_is_named_as_what_it_is() -> None:
    """The change is about the character, not about Python."""
    assert [kind for kind, _ in fixed(WHOLE_FILES["a tab in a text"][0])[1].changes.listed()] == ["control"]


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ([5], "correct"),
        ([None], "remove"),
        ([5, None], "some"),
    ],
)
def test_reports_say_what_becomes_of_these_findings(wrong: list[Any], remedy: str) -> None:
    """The sentence on the page is about the findings that there are, whatever their rule says of most."""
    data = GOOD + b"".join(line({**RIGHT, "output_text": each}) for each in wrong)
    report = build(dataset="d", run_id=None, status="rejected", checked=judge(data, options=WHOLE), language="en")
    say = Wording("en")
    (group,) = [group for group in groups(report, say) if group.code == "TEXT-OUTPUT-TYPE"]
    assert group.remedy == remedy
    words = say("remedy_" + remedy).replace("`droptune fix`", "<code>droptune fix</code>")
    assert words in "\n".join(findings_of_page(report, say))
