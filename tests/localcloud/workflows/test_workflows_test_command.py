"""`test`: cases that pass and fail, what is shown of them, coverage, JUnit, refused tables, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from workflows_golden import COMMANDS, check_golden, run_command

from localcloud.workflows.errors import SourceError
from localcloud.workflows.language.parser import parse
from localcloud.workflows.testing import Coverage, mismatches, play, read_cases
from localcloud.workflows.testing.cases import FORMAT
from localcloud.workflows.testing.matchers import MATCHERS, differences, fits
from localcloud.workflows.values import equal

ORDERS = (COMMANDS / "orders.yaml").read_text(encoding="utf-8")
SMALL = yaml.safe_load((COMMANDS / "format.yaml").read_text(encoding="utf-8"))


def test_cases_pass_and_coverage_names_what_was_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Delays, a lost request, callbacks and timeouts take simulated time only."""
    ran = run_command(capsys, "test", "orders.yaml")
    assert ran.status == 0
    check_golden("test-orders.txt", ran.out)


def test_everything_that_is_wrong_is_shown_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Differences by path, calls that were missed, a request without an answer and the YAML that answers it."""
    ran = run_command(capsys, "test", "orders.yaml", "--cases", "wrong.test.yaml", "--min-coverage", "90")
    assert ran.status == 1
    check_golden("test-wrong.txt", ran.out)


def test_a_refused_table_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown keys, steps and matchers, wrong types: all with line and column; the status is 2."""
    ran = run_command(capsys, "test", "orders.yaml", "--cases", "refused.test.yaml")
    assert (ran.status, ran.out) == (2, "")
    check_golden("test-refused.txt", ran.err)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case["name"])
def test_each_key_of_the_format(case: dict[str, Any]) -> None:
    """A small definition and one case: it passes, or `wrong` is part of what is told."""
    program = parse(case["source"])
    (read,) = read_cases(yaml.safe_dump({"cases": [{"name": "c", **case["case"]}]}), program)
    outcome = play("w", program, read)
    told = [
        m.message + " " + " ".join(f"{d.path} {d.expected} {d.found}" for d in m.differences)
        for m in mismatches(read, outcome)
    ]
    if "unanswered" in case:
        assert outcome.unanswered is not None
        assert outcome.unanswered.place == case["unanswered"]
    else:
        assert outcome.unanswered is None
    if "wrong" in case:
        assert any(case["wrong"] in line for line in told), told
    else:
        assert told == []


@pytest.mark.parametrize(("minimum", "status"), [("94", 0), ("95", 1), ("101", 2), ("many", 2)])
def test_too_little_coverage_fails(capsys: pytest.CaptureFixture[str], minimum: str, status: int) -> None:
    """--min-coverage counts steps and branches together."""
    assert run_command(capsys, "test", "orders.yaml", "--min-coverage", minimum).status == status


def test_cases_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """-k takes a part of the name; none that has it is a mistake."""
    ran = run_command(capsys, "test", "orders.yaml", "-k", "approv", "--json")
    assert [case["name"] for case in json.loads(ran.out)["cases"]] == [
        "a large order needs an approval",
        "nobody approves",
    ]
    assert run_command(capsys, "test", "orders.yaml", "-k", "nothing like it").status == 2


def test_json_and_junit_have_the_same_results(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Programs get every case with its mismatches; CI gets one failure per case."""
    out = tmp_path / "junit.xml"
    ran = run_command(capsys, "test", "orders.yaml", "--cases", "wrong.test.yaml", "--json", "--junit", str(out))
    told = json.loads(ran.out)
    suite = ElementTree.parse(out).getroot().find("testsuite")
    assert suite is not None
    assert (told["passed"], told["failed"]) == (0, 5)
    assert suite.get("failures") == "5"
    assert [case.get("name") for case in suite] == [case["name"] for case in told["cases"]]
    texts = [failure.text or "" for failure in suite.iter("failure")]
    assert texts == ["\n".join(case["text"]) for case in told["cases"]]


@pytest.mark.parametrize(
    ("arguments", "status"), [(["absent.yaml"], 3), (["run.yaml"], 3), (["refused.yaml", "--cases", "lint.yaml"], 2)]
)
def test_what_cannot_be_tested_says_why(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int) -> None:
    """No definition, no table beside it, a definition that is refused."""
    ran = run_command(capsys, "test", *arguments)
    assert ran.status == status
    assert ran.err != ""


def test_the_format_is_told_by_help(capsys: pytest.CaptureFixture[str]) -> None:
    """What --help prints names every matcher, and is the one description there is."""
    assert FORMAT in run_command(capsys, "test", "--help").out
    assert all(name in FORMAT for name in MATCHERS)


def test_coverage_counts_parallel_branches_and_handlers() -> None:
    """Each branch, each outcome of a condition, each retry and handler is a point of its own."""
    program = parse(
        "- both:\n    parallel:\n      branches:\n"
        "        - left: {steps: [{a: {call: sys.sleep, args: {seconds: 1}}}]}\n"
        "        - right: {steps: [{b: {call: sys.sleep, args: {seconds: 1}}}]}\n"
        "- attempt:\n    try: {call: sys.sleep, args: {seconds: 1}}\n    except: {as: e, steps: [{c: {return: 1}}]}\n"
    )
    coverage = Coverage(program)
    (case,) = read_cases("cases: [{name: c, result: null, elapsed: 2}]", program)
    play("w", program, case, [coverage])
    report = coverage.report()
    assert (report.steps, report.steps_covered, report.branches, report.branches_covered) == (5, 4, 3, 2)
    assert [str(point) for point in report.missed] == [
        "the except of step main.attempt is never needed",
        "step main.c never runs",
    ]


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(expected=_JSON, found=_JSON)
def test_two_values_differ_exactly_when_they_are_not_equal(expected: Any, found: Any) -> None:
    """Without matchers the comparison is the workflow's own equality; $has takes the whole for a part of itself."""
    assert (next(differences(expected, found, "v"), None) is None) == equal(expected, found)
    assert fits(expected, expected)
    assert fits({"$any": "value"}, found)
    if isinstance(expected, dict | list | str):
        assert fits({"$has": expected}, expected)


_KEYS = """
cases defaults name argument pubsub routine args env now mocks answer answers status body text delay fail times
callbacks at result error tags calls steps url elapsed at_least step init main $has $regex $any ( TimeoutError
1e999 2025-01-01T00:00:00Z
"""
_WORDS = st.sampled_from(_KEYS.split())
_TABLE = st.recursive(
    _WORDS | st.none() | st.booleans() | st.integers(-1, 1000) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=5),
    max_leaves=25,
)


@settings(deadline=None)
@given(
    table=_TABLE | st.fixed_dictionaries({"cases": st.lists(st.dictionaries(_WORDS, _TABLE, max_size=6), max_size=3)})
)
def test_any_table_is_read_or_refused_with_places(table: Any) -> None:
    """Whatever a file holds, reading it gives cases, or problems that point into the text."""
    text = json.dumps(table).replace('"1e999"', "1e999")
    try:
        read_cases(text, parse(ORDERS))
    except SourceError as error:
        assert all(p.position.line == 1 and p.position.column <= len(text) + 1 for p in error.problems)
