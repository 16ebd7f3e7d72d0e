"""Real data sets that nobody on the project wrote are judged right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from droptune.datasets.check import Options, check_files
from droptune.datasets.describe import build
from droptune.datasets.report import Report
from droptune.events import Role

SHARED = Path(__file__).parents[4] / "shared" / "data"
FORMATS = {
    "text": "text",
    "teacher record": "text_rationale",
    "prompts": "prompts",
    "chat": "chat",
    "gemini messages": "gemini_messages",
    "gemini contents": "gemini_contents",
    "preference": "preference",
}
METHODS = {
    "text": "palm_text_sft",
    "text_rationale": "palm_distill",
    "prompts": None,  # for preferences, or to be distilled: only the user knows
    "chat": "palm_chat_sft",
    "gemini_messages": "gemini_sft",
    "gemini_contents": "gemini_sft",
    "preference": "rlhf",
}
# What is true of these files besides notes: prompts have two uses, one pair is there twice, and one hotel file repeats.
WARNINGS = {"PURPOSE-AMBIGUOUS", "DUPLICATE-ROW"}


def report_on(paths: dict[Role, Path]) -> Report:
    checked = check_files(paths, options=Options(line_only=True))
    return build(dataset="shared", run_id=None, status="ready", checked=checked)


def entries() -> list[dict[str, Any]]:
    index = SHARED / "index.json"
    if not index.exists():
        return []
    files: list[dict[str, Any]] = json.loads(index.read_text())["files"]
    return files


def test_the_shared_data_is_there() -> None:
    """Says so when the tests below have nothing to judge."""
    if not entries():
        pytest.skip("no shared/data beside the repository: its data sets are not judged")


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: str(entry["path"]))
def test_a_file_of_the_shared_data_is_judged_right(entry: dict[str, Any]) -> None:
    """Format, rows, labels and method are those that its index states, and no row has a problem."""
    report = report_on({"train": SHARED / entry["path"]})
    expected = FORMATS[entry["format"].partition(" (")[0]]
    assert (report.format, report.method) == (expected, METHODS[expected])
    assert report.rows == report.lines == report.statistics["train"].rows == entry["lines"]
    assert report.counts.errors == 0
    assert {finding.code for finding in report.findings if finding.severity == "warning"} <= WARNINGS
    if entry["task"] in ("classification", "sentiment") and entry["split"] == "train" and expected == "text":
        assert sorted(report.statistics["train"].labels or {}) == sorted(entry["labels"])


PAIRS = [
    entry["path"]
    for entry in entries()
    if entry["split"] == "train" and (SHARED / entry["path"].replace("_train", "_eval")).exists()
]


@pytest.mark.parametrize("path", [path for path in PAIRS if "_train" in path])
def test_a_train_file_and_its_eval_file_share_no_prompt(path: str) -> None:
    """The data sets are cut so that nothing leaks, and nothing is said to."""
    paths: dict[Role, Path] = {"train": SHARED / path, "eval": SHARED / path.replace("_train", "_eval")}
    report = report_on(paths)
    assert report.counts.errors == 0
    assert not any(code.startswith("LEAKAGE") for code in report.counts.by_code)


def test_a_file_against_itself_is_leakage() -> None:
    """Evaluating on the training file is an error, whatever the data."""
    for path in PAIRS[:3]:
        report = report_on({"train": SHARED / path, "eval": SHARED / path})
        assert "LEAKAGE-ALL" in report.counts.by_code
