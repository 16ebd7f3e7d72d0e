"""Every file of tests/cases/datasets gives exactly the findings written beside it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from droptune.datasets.checks import check_file
from droptune.datasets.findings import Findings
from droptune.datasets.scan import scan

CASES = Path(__file__).parents[2] / "cases" / "datasets"
FILES = sorted(CASES.glob("*.jsonl"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_case_gives_its_findings(path: Path) -> None:
    """Code, line and pointer of each finding, in order, besides the format and the rows."""
    expected = json.loads(path.with_suffix(".expected.json").read_text())
    findings = Findings()
    result = scan(io.BytesIO(path.read_bytes()), path.name, findings)
    check_file(result, "train", findings)
    assert (result.format.name if result.format else None) == expected["format"]
    assert result.rows == expected["rows"]
    found = [[finding.code, finding.line, finding.pointer] for finding in findings.listed()]
    assert sorted(found, key=str) == sorted(expected["findings"], key=str)
    assert all(finding.message and finding.fix and finding.source for finding in findings.listed())


def test_there_are_cases() -> None:
    """The folder is where the test looks."""
    assert len(FILES) > 10
