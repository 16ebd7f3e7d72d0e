"""Every file of tests/cases/datasets gives exactly the findings written beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from droptune.datasets.check import Options, check_files

CASES = Path(__file__).parents[2] / "cases" / "datasets"
FILES = sorted(CASES.glob("*.jsonl"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_case_gives_its_findings(path: Path) -> None:
    """Code, line and pointer of each finding, in order, besides the format and the rows."""
    expected = json.loads(path.with_suffix(".expected.json").read_text())
    checked = check_files({"train": path}, options=Options(line_only=True))
    result, listed = checked.scans["train"], checked.findings.listed()
    found = [[f.code, f.line, f.pointer] for f in listed if f.line is not None]
    assert result.known == expected["format"]
    assert result.rows == expected["rows"]
    assert sorted(found, key=str) == sorted(expected["findings"], key=str)
    assert all(finding.message and finding.fix and finding.source for finding in listed)


def test_there_are_cases() -> None:
    """The folder is where the test looks."""
    assert len(FILES) > 10
