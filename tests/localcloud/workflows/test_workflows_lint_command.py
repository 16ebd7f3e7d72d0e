"""`lint`: every error with its place, warnings by rule, drawing, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from workflows_golden import COMMANDS, check_golden, run_command

from localcloud.workflows.cli.drawing import STYLES, Remark, draw, span
from localcloud.workflows.errors import Position
from localcloud.workflows.lint import RULES, lint

CASES = yaml.safe_load((COMMANDS / "lint.yaml").read_text(encoding="utf-8"))
CORPUS = Path(__file__).parents[2] / "cases" / "workflows"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_warning_stands_where_its_cause_is(case: dict[str, Any]) -> None:
    """Exactly the expected warnings are given, and none for the corrected definition."""
    found = [[f.code, f.position.line, f.position.column] for f in lint(case["source"])]
    assert found == case["warnings"]
    assert lint(case.get("fixed", "- a:\n    return: 1\n")) == ()


def test_every_rule_has_a_case_and_an_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    """A rule without a case could stop working unseen."""
    assert {code for case in CASES for code, _, _ in case["warnings"]} == set(RULES)
    assert run_command(capsys, "lint", "--explain", "all").status == 0
    for code, rule in RULES.items():
        assert rule.why in run_command(capsys, "lint", "--explain", code).out


def test_errors_are_drawn_all_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Problems of several steps are told in one go, each with its line and a caret below the place; the status is 1."""
    ran = run_command(capsys, "lint", "refused.yaml")
    assert ran.status == 1
    for place in ("6:22", "9:9", "11:15", "16:41"):
        assert f"refused.yaml:{place}: error: " in ran.out
    shown = ran.out.splitlines()
    at = next(number for number, line in enumerate(shown) if line.startswith("refused.yaml:16:41: error: "))
    # Wide characters take two columns.
    assert shown[at + 1 : at + 4] == [
        '   16 |           - condition: ${x == "日本語" and zz}',
        "      |                                            ^^",
        "      = step: four",
    ]


def test_a_clean_file_and_a_warned_one_are_fine_unless_strict(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings alone do not fail, but do with --strict."""
    assert run_command(capsys, "lint", "orders.yaml").status == 0
    ran = run_command(capsys, "lint", "orders.yaml", "--strict")
    assert ran.status == 1
    check_golden("lint-orders.txt", ran.out)


def test_several_files_and_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each file is named; one that cannot be read does not keep the others from being checked."""
    standard_input = tmp_path / "in.yaml"
    standard_input.write_text("- a:\n    next: b\n")
    with standard_input.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        ran = run_command(capsys, "lint", "orders.yaml", "absent.yaml", "-")
    assert ran.status == 3
    assert "<stdin>:2:11: error" in ran.out
    assert "2 files" in ran.out
    assert ran.err == "absent.yaml: No such file or directory\n"


def test_a_table_of_cases_is_checked_as_such(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """NAME.test.yaml beside NAME.yaml is no definition, so that `lint *.yaml` works."""
    assert run_command(capsys, "lint", "orders.yaml", "orders.test.yaml").status == 0
    (tmp_path / "w.yml").write_text("- a:\n    return: 1\n")
    table = tmp_path / "w.test.yaml"
    table.write_text("cases:\n  - name: one\n    steps: [b]\n    result: 1\n")
    ran = run_command(capsys, "lint", str(table))
    assert ran.status == 1
    assert "w.test.yaml:3:13: error: there is no step 'b'" in ran.out


def test_json_has_the_same_findings(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get place, length, code and help of each finding."""
    ran = run_command(capsys, "lint", "refused.yaml", "orders.yaml", "--json")
    refused, orders = json.loads(ran.out)["files"]
    assert ran.status == 1
    assert refused["file"] == "refused.yaml"
    assert {finding["code"] for finding in refused["findings"]} == {"refused"}
    (finding,) = orders["findings"]
    assert (finding["code"], finding["line"], finding["length"]) == ("retry-misses-500", 23, 21)


@pytest.mark.parametrize("arguments", [[], ["--explain", "nothing"], ["--unknown"]])
def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Nothing to check, an unknown code, an unknown option."""
    assert run_command(capsys, "lint", *arguments).status == 2


def test_every_definition_of_the_corpus_is_judged_within_its_text() -> None:
    """No definition makes a rule fail, and every finding points into the text."""
    sources = [case["source"] for path in CORPUS.glob("*.yaml") for case in _cases(path) if "source" in case]
    for source in sources:
        lines = source.splitlines() or [""]
        for finding in lint(source):
            assert 1 <= finding.position.line <= len(lines) + 1
            list(draw("f", lines, Remark(finding.severity, finding.message, finding.position)))


def _cases(path: Path) -> list[dict[str, Any]]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found if isinstance(found, list) else []


@given(
    lines=st.lists(st.text(max_size=30), max_size=3), line=st.integers(1, 5), column=st.integers(1, 40), hint=st.text()
)
def test_any_place_can_be_drawn(lines: list[str], line: int, column: int, hint: str) -> None:
    """Tabs, wide characters, unclosed brackets and places outside the text are drawn, too."""
    remark = Remark(next(iter(STYLES)), "message", Position(line, column), "code", hint, "step")
    drawn = list(draw("file", lines, remark))
    assert drawn[0].plain.startswith(f"file:{line}:{column}: error: message")
    if line <= len(lines):
        assert span(lines[line - 1], column) >= 1
        assert "^" in drawn[2].plain
