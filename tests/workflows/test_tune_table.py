"""`workflows/tune.test.yaml`, the table of cases that is kept beside the deployed workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.__main__ import main
from localcloud.workflows.lint import lint

TUNE = Path(__file__).parents[2] / "workflows" / "tune.yaml"


def test_the_table_passes_and_runs_every_step_and_branch(capsys: pytest.CaptureFixture[str]) -> None:
    """A change of tune.yaml that no case covers is seen here."""
    status = main(["workflows", "test", str(TUNE), "--min-coverage", "100"])
    assert status == 0, capsys.readouterr().out


def test_the_definition_has_no_errors() -> None:
    """Google would take it as it is."""
    assert [finding for finding in lint(TUNE.read_text(encoding="utf-8")) if finding.severity == "error"] == []
