"""Rules about content on arbitrary texts: never an exception, never a pattern that takes ages."""

from __future__ import annotations

from collections import Counter
from time import process_time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_rows import leaks_in

from droptune.datasets.content import Sampled, Totals, compare, examine
from droptune.datasets.findings import Findings
from droptune.datasets.formats import FORMATS
from droptune.datasets.report import Counts

TEXT, PREFERENCE = FORMATS["text"], FORMATS["preference"]
# Pieces that the rules look for, among any text there can be in JSON, lone surrogates and NUL included.
NUMBERS = ["question: ", "4242 4242 4242 4242", "+81 90-", "a@b.co", "0", "．"]
WORDS = ["eyJ", "sk-", "AKIA", "password: ", "-----BEGIN ", "申し訳", "I'm sorry, ", "\x00", "\ud83d"]
PIECES = st.sampled_from(NUMBERS + WORDS)
TEXTS = st.lists(PIECES | st.text(st.characters(), max_size=30), min_size=1, max_size=8).map("".join)
HARD = (
    *("a", " ", "0", "-", ".", "_", "@", "0 ", "1-", "(1)", "a.", "A1", "GB82", "+1", "1.1.", "0a", "a@", "a@a.", "["),
    *("eyJ", "eyJa.", "sk-", "xoxb-", "password", "password=", "key=", "-----BEGIN A ", "as an ai ", "I can"),
    *("申し訳", "お答え", "\u3000", "é", "－", "\x00"),
)


def examined(texts: list[tuple[str, str]]) -> Findings:
    findings = Findings()
    rows = [Sampled(n, n, TEXT.row(prompt, answer)) for n, (prompt, answer) in enumerate(texts, 1)]
    leaks = leaks_in("text", [{"input_text": prompt, "output_text": answer} for prompt, answer in texts])
    examine(TEXT, "train", "f", rows, len(rows), Totals(Counter(answer for _, answer in texts)), leaks, findings)
    pairs = [Sampled(n, n, PREFERENCE.row(p, a, p, n % 2)) for n, (p, a) in enumerate(texts, 1)]
    examine(PREFERENCE, "train", "f", pairs, len(pairs), Totals(), leaks, findings)
    compare(TEXT, "f", rows, "g", rows[::-1], findings)
    return findings


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=25))
def test_any_texts_are_judged(texts: list[tuple[str, str]]) -> None:
    """Whatever the texts are, the findings can be listed, encoded, and name lines of the file."""
    findings = examined(texts)
    for finding in findings.listed():
        assert finding.line is None or 1 <= finding.line <= len(texts)
    assert msgspec.json.encode(findings.listed("ja"))
    assert Counts(warnings=findings.count("warning")).errors == 0 == findings.count("error")


@pytest.mark.parametrize("piece", HARD)
def test_no_text_takes_ages(piece: str) -> None:
    """A text of one piece over and over, where patterns backtrack most, is judged in time that grows with it."""
    begin = process_time()
    examined([(piece * (20_000 // len(piece)), piece * (20_000 // len(piece)) + "!")] * 6)
    assert process_time() - begin < 5


def test_many_equal_rows_are_judged_at_once() -> None:
    """Thousands of rows of one template give neither thousands of comparisons nor thousands of findings."""
    begin = process_time()
    template = (
        "Write a friendly letter to the client number {} of our bank, and tell them that the card is on its way. " * 4
    )
    findings = examined([(template.format(n, n, n, n), "Dear client, your card is on its way.") for n in range(3_000)])
    assert process_time() - begin < 20
    assert not findings.by_code["SIMILAR-ROW"]
