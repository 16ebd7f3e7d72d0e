"""What a person sees of a checked data set: the verdict first, places that editors open, and the next command."""

from __future__ import annotations

import io

import pytest
from intake_reports import finding, full_report, hostile_report, report, rules_of
from rich.cells import cell_len
from rich.console import Console

from droptune.cli.views.checked import checked
from droptune.datasets.report import Counts, Report
from droptune.datasets.rules import LANGUAGES, Language


def shown(one: Report, width: int = 100, language: Language = "en", path: str | None = "cards") -> str:
    """The view as text of that width."""
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, markup=False, emoji=False)
    console.print(checked(one, language, path=path))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def test_the_verdict_is_the_first_line() -> None:
    """The first line has the data set, what became of it, and how many findings there are."""
    first = shown(full_report()).splitlines()[0]
    assert first == "banking-questions: Not usable yet, but repairable · 4,401 errors, 12 warnings, 2 notes"


def test_each_file_is_a_line() -> None:
    """Files come with their role and rows."""
    lines = shown(report()).splitlines()
    assert "  training    train.jsonl  700 rows" in lines
    assert "  evaluation  eval.jsonl   150 rows" in lines


def test_many_findings_of_a_rule_are_a_few_lines() -> None:
    """The first three places of a rule are shown as editors open them, the others are counted."""
    rule = rules_of("error", 1)[0]
    text = shown(report([finding(rule, line) for line in range(1, 41)], status="rejected", verdict="invalid"))
    assert text.count("train.jsonl:") == 3
    assert "train.jsonl:2 /output_text" in text and "37 more places" in text
    assert f"×40  {rule.code}" in text


@pytest.mark.parametrize(
    ("one", "command"),
    [
        (report(), "droptune drop 'my cards' --watch"),
        (full_report(), "droptune fix train.jsonl"),
        (full_report(), f"droptune explain {rules_of('error', 1)[0].code}"),
    ],
)
def test_it_says_what_to_type_next(one: Report, command: str) -> None:
    """A usable data set is dropped, a repairable one fixed, and a finding explained; paths are quoted."""
    assert command in shown(one, path="my cards")


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_keeps_to_the_width(width: int, language: Language) -> None:
    """No line is wider than the terminal, in which a Japanese character takes two columns."""
    assert max(cell_len(line) for line in shown(full_report(), width, language).splitlines()) <= width


def test_what_a_terminal_would_obey_is_made_visible() -> None:
    """Control characters in rows and names do not reach the terminal."""
    text = shown(hostile_report())
    assert "\x1b" not in text and "\x00" not in text and "\u202e" not in text


def test_missing_files_are_named() -> None:
    """A data set that waits says for what."""
    waiting = Report(run_id=None, dataset="cards", status="waiting", counts=Counts(), missing=("eval.jsonl",))
    assert "Missing: eval.jsonl" in shown(waiting)
