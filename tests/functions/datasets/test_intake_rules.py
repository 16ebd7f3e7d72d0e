"""Every rule has something that breaks it and something that does not."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import MemoryObjects
from intake_rows import codes, contents, line, rows, text

import droptune.datasets
from droptune.datasets.checks import check_file
from droptune.datasets.findings import Findings, rules
from droptune.datasets.rowformat import Example
from droptune.datasets.scan import Scan, scan
from droptune.datasets.statistics import Rows
from droptune.request import Request
from droptune.settings import Settings
from droptune.validate import Ports, validate

Case = Callable[[], set[str]]

FILLERS = {
    "TEXT": "text",
    "CHAT": "chat",
    "MESSAGES": "gemini_messages",
    "GEMINI": "gemini_contents",
    "PREF": "preference",
    "PROMPT": "prompts",
}
ALONE = {"FILE-ARRAY", "FILE-PRETTY", "FILE-NOT-JSONL", "FORMAT-UNKNOWN", "FORMAT-UNAVAILABLE"}
TEXT = rows("text", 0, 40)
GEMINI = Request(base_model="gemini-2.5-flash")


class _ServesAll:
    def serves(self, base_model: str) -> bool:
        return True


def dropped(*uploads: tuple[str, bytes], stale: bool = False, **metadata: str) -> set[str]:
    """The codes in the report of what the last upload's event leads to."""
    objects = MemoryObjects()
    stored = [objects.upload("in", name, data, metadata) for name, data in uploads]
    if stale:
        objects.upload("in", *uploads[-1])
    settings = Settings(project="p", region="r", intake_bucket="in", runs_bucket="runs", vertex_endpoint="http://x")
    fact = validate(stored[-1], Ports(objects, _ServesAll(), settings))
    assert fact is not None
    report = json.loads(objects.read("runs", f"{fact.run_id}/report.json") or b"{}")
    return set(report["counts"]["by_code"])


def partly_indexed(most: int) -> set[str]:
    findings = Findings()
    result = Scan("train.jsonl")
    result.content = Rows(max_indexed=most)
    result.content.add([Example(str(n), "") for n in range(5)], range(5))
    check_file(result, "train", findings)
    return set(findings.by_code)


def same_answer(row: int) -> bytes:
    return line({**text(row), "output_text": "ok"})


CASES: dict[str, tuple[Case, Case]] = {
    "FILE-EMPTY": (lambda: codes(b""), lambda: codes(TEXT)),
    "FILE-GZIP": (lambda: codes(gzip.compress(TEXT)), lambda: codes(TEXT)),
    "FILE-ZIP": (lambda: codes(b"PK\x03\x04" + TEXT), lambda: codes(TEXT)),
    "FILE-PARQUET": (lambda: codes(b"PAR1" + TEXT), lambda: codes(TEXT)),
    "FILE-UTF16": (lambda: codes(TEXT.decode().encode("utf-16")), lambda: codes(TEXT)),
    "FILE-TOO-LARGE": (
        lambda: codes(rows("gemini_contents", 0, 40), claimed_bytes=2 << 30),
        lambda: codes(rows("gemini_contents", 0, 40)),
    ),
    "BOM": (lambda: codes(b"\xef\xbb\xbf" + TEXT), lambda: codes(TEXT)),
    "CRLF": (lambda: codes(TEXT.replace(b"\n", b"\r\n")), lambda: codes(TEXT)),
    "BLANK-LINE": (lambda: codes(TEXT + b" \n" + TEXT), lambda: codes(TEXT.rstrip(b"\n"))),
    "LINE-TOO-LONG": (lambda: codes(TEXT + b"x" * (17 << 20) + b"\n"), lambda: codes(TEXT)),
    "BAD-UTF8": (
        lambda: codes(TEXT + line(text(99)).replace(b"Where", b"Wh\xe9re")),
        lambda: codes(TEXT + line(text(99)).replace(b"Where", "Whére".encode())),
    ),
    "NUL-BYTE": (lambda: codes(TEXT + line(text(99)).replace(b"Where", b"Wh\0ere")), lambda: codes(TEXT)),
    "JSON-TOO-DEEP": (
        lambda: codes(TEXT + b"[" * 100_000 + b"\n" + b'{"input_text": ' + b"[" * 120 + b"]" * 120 + b"}\n"),
        lambda: codes(TEXT + b'{"input_text": "a", "output_text": "b", "x": ' + b"[" * 50 + b"]" * 50 + b"}\n"),
    ),
    "FORMAT-MIXED": (lambda: codes(TEXT + line(contents(1))), lambda: codes(TEXT)),
    "FORMATS-DIFFER": (
        lambda: codes(TEXT, rows("gemini_contents", 0, 40)),
        lambda: codes(TEXT, rows("text", 40, 80)),
    ),
    "DUPLICATE-ROW": (lambda: codes(TEXT + line(text(3))), lambda: codes(TEXT)),
    "CONFLICTING-ANSWERS": (
        lambda: codes(TEXT + line({**text(3), "output_text": "other"})),
        lambda: codes(TEXT + line(text(3))),
    ),
    "DUPLICATES-PARTLY": (lambda: partly_indexed(4), lambda: partly_indexed(5)),
    "LEAKAGE": (lambda: codes(TEXT, rows("text", 39, 80)), lambda: codes(TEXT, rows("text", 40, 80))),
    "LEAKAGE-ALL": (lambda: codes(TEXT, TEXT), lambda: codes(TEXT, rows("text", 39, 80))),
    "ANSWER-CONSTANT": (lambda: codes(b"".join(map(same_answer, range(40)))), lambda: codes(TEXT)),
    "LABEL-SPELLING": (
        lambda: codes(TEXT + line({**text(77), "output_text": "Card arrival"})),
        lambda: codes(TEXT + line({**text(77), "output_text": "card_departure"})),
    ),
    "EVAL-LABEL-UNSEEN": (
        lambda: codes(TEXT, rows("text", 40, 80) + same_answer(90)),
        lambda: codes(TEXT + same_answer(91), rows("text", 40, 80) + same_answer(90)),
    ),
    "ROWS-TOO-FEW": (lambda: codes(rows("text", 0, 9)), lambda: codes(rows("text", 0, 10))),
    "ROWS-TOO-MANY": (lambda: codes(rows("text", 0, 10_001)), lambda: codes(rows("text", 0, 10_000))),
    "ROWS-FEW": (lambda: codes(rows("text", 0, 99)), lambda: codes(rows("text", 0, 100))),
    "EVAL-ROWS": (lambda: codes(TEXT, rows("text", 40, 291)), lambda: codes(TEXT, rows("text", 40, 290))),
    "EVAL-SHARE": (
        lambda: codes(rows("gemini_contents", 0, 3300), rows("gemini_contents", 3300, 4301)),
        lambda: codes(rows("gemini_contents", 0, 3300), rows("gemini_contents", 3300, 4300)),
    ),
    "EVAL-FEW": (lambda: codes(TEXT, rows("text", 40, 69)), lambda: codes(TEXT, rows("text", 40, 70))),
    "TOKENS-MAY-EXCEED": (
        lambda: codes(TEXT + line({**text(99), "output_text": "x" * 1025})),
        lambda: codes(TEXT + line({**text(99), "output_text": "x" * 1024})),
    ),
    "OBJECT-NAME": (lambda: dropped(("data.csv", b"a,b")), lambda: dropped(("data.jsonl", TEXT))),
    "ROLE-UNAVAILABLE": (
        lambda: dropped(("set/preferences.jsonl", b"")),
        lambda: dropped(("set/train.jsonl", TEXT), ("set/eval.jsonl", rows("text", 40, 80))),
    ),
    "OBJECT-REPLACED": (lambda: dropped(("a.jsonl", TEXT), stale=True), lambda: dropped(("a.jsonl", TEXT))),
    "REQUEST-INVALID": (
        lambda: dropped(("a.jsonl", TEXT), **{"droptune-colour": "blue"}),
        lambda: dropped(("a.jsonl", TEXT), **{"droptune-epochs": "2"}),
    ),
    "METHOD-UNAVAILABLE": (lambda: codes(rows("preference", 0, 40)), lambda: codes(TEXT)),
    "MODEL-RETIRED": (
        lambda: codes(TEXT, serves=lambda name: False),
        lambda: codes(rows("gemini_contents", 0, 40), serves=lambda name: False),
    ),
    "MODEL-RETIRED-SERVED": (
        lambda: codes(TEXT, serves=lambda name: True),
        lambda: codes(rows("gemini_contents", 0, 40)),
    ),
    "SPLIT-TOO-FEW": (
        lambda: codes(rows("text", 0, 19)),
        lambda: codes(rows("text", 0, 19), rows("text", 40, 80)),
    ),
    "SPLIT-IMPOSSIBLE": (
        lambda: dropped(("a.jsonl", line(text(1)) * 40)),
        lambda: dropped(("a.jsonl", TEXT)),
    ),
    "SPLIT-MADE": (
        lambda: dropped(("a.jsonl", TEXT)),
        lambda: dropped(("a/train.jsonl", TEXT), ("a/eval.jsonl", rows("text", 40, 80))),
    ),
}


def filler(code: str) -> bytes:
    """Rows among which the example of a rule is one of its format."""
    fmt = FILLERS.get(code.partition("-")[0], "text")
    if fmt in ("preference", "prompts") and '"messages"' in rules()[code].wrong:
        fmt += "_chat"
    return b"" if code in ALONE else rows(fmt, 0, 12)


def found_in(code: str, example: str) -> set[str]:
    return codes(filler(code) + example.encode() + b"\n")


@pytest.mark.parametrize("code", rules())
def test_a_rule_finds_what_is_wrong(code: str) -> None:
    """The wrong example of every rule gives its finding."""
    found = CASES[code][0]() if code in CASES else found_in(code, rules()[code].wrong)
    assert code in found


@pytest.mark.parametrize("code", rules())
def test_a_rule_leaves_alone_what_is_right(code: str) -> None:
    """The right example of every rule does not give its finding."""
    found = CASES[code][1]() if code in CASES else found_in(code, rules()[code].right)
    assert code not in found


@pytest.mark.parametrize("code", set(rules()) - set(CASES))
def test_an_example_of_a_row_is_without_errors(code: str) -> None:
    """What a rule shows as right has no error of any other rule either."""
    findings = Findings()
    scan(io.BytesIO(rules()[code].right.encode()), "x", findings)
    assert not findings.blocking


def test_every_rule_is_used_and_every_code_has_a_rule() -> None:
    """The table and the sources name the same codes; those of dialogues are made of a prefix and a suffix."""
    folder = Path(droptune.datasets.__file__).parent
    source = "".join(path.read_text() for path in [*folder.glob("*.py"), folder.parent / "validate.py"])
    suffixes = {*re.findall(r"\{self\.prefix\}-([A-Z-]+)", source), "MISSING-CONTENT", "CONTENT-TYPE", "EMPTY-CONTENT"}
    made = {f"{prefix}-{suffix}" for prefix in ("CHAT", "MESSAGES") for suffix in suffixes}
    written = set(re.findall(r'"([A-Z]+(?:-[A-Z0-9]+)+|BOM|CRLF|LEAKAGE)"', source)) | made
    assert set(rules()) <= written
    assert {c for c in written if c.split("-")[0] in {r.split("-")[0] for r in rules()}} - set(rules()) <= {
        "CHAT-SYSTEM-POSITION"  # PaLM chat has no system turn
    }
