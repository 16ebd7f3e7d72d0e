"""JUnit: counts that add up, failures for errors alone, and XML that any row leaves well-formed."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_reports import finding, full_report, hostile_report, report, rules_of

from droptune.datasets.junit import junit
from droptune.datasets.report import Counts, Report, Status
from droptune.datasets.rules import LANGUAGES, Language


@pytest.mark.parametrize("language", LANGUAGES)
def test_counts_add_up(language: Language) -> None:
    """Suites count their cases and failures, and the root the suites'; every element has its times and names."""
    for one in (full_report(), hostile_report(), report()):
        root = Xml.fromstring(junit(one, language))
        suites = root.findall("testsuite")
        for suite in suites:
            cases = suite.findall("testcase")
            assert suite.get("tests") == str(len(cases))
            assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
            assert all({"name", "classname", "file", "time"} <= set(case.attrib) for case in cases)
        assert root.get("tests") == str(len(root.findall("testsuite/testcase")))
        assert root.get("failures") == str(len(root.findall("testsuite/testcase/failure")))
        assert root.get("time") == "0"


def test_a_clean_file_is_a_passing_case() -> None:
    """Each file without errors has a case that passes, so that CI shows that it was looked at."""
    root = Xml.fromstring(junit(report()))
    assert [(case.get("file"), case.get("name"), len(case)) for case in root.iter("testcase")] == [
        ("train.jsonl", "usable", 0),
        ("eval.jsonl", "usable", 0),
    ]


def test_errors_fail_and_warnings_are_told() -> None:
    """A rule with errors in a file is one failure that names each place; one with warnings passes with output."""
    error, warning = rules_of("error", 1)[0], rules_of("warning", 1)[0]
    found = [finding(error, 3), finding(error, 9), finding(warning, 4, file="eval.jsonl")]
    root = Xml.fromstring(junit(report(found, status="rejected", verdict="invalid")))
    train, held_out = root.findall("testsuite")
    (failed,) = train.findall("testcase")
    failure = failed.find("failure")
    assert failure is not None and failure.get("type") == error.code
    assert "train.jsonl:3 /output_text: " in (failure.text or "") and "train.jsonl:9 " in (failure.text or "")
    assert [case.find("failure") for case in held_out.findall("testcase")] == [None, None]
    output = held_out.findtext("testcase/system-out") or ""
    assert output.startswith("Warning\neval.jsonl:4 ")


def test_findings_about_the_whole_set_have_their_suite() -> None:
    """What is about no file is in a suite named like the data set, after the files'."""
    found = [finding(rules_of("error", 1)[0], None, file=None, text=None)]
    root = Xml.fromstring(junit(report(found, status="rejected", verdict="invalid")))
    assert [suite.get("name") for suite in root] == ["train.jsonl", "eval.jsonl", "banking-questions"]


@pytest.mark.parametrize("status", ["waiting", "superseded", "rejected"])
def test_what_was_not_read_fails(status: Status) -> None:
    """A data set of which no file was read has one case, which fails with its status."""
    one = Report(run_id=None, dataset="cards", status=status, counts=Counts(), missing=("eval.jsonl",))
    failure = Xml.fromstring(junit(one)).find("testsuite/testcase/failure")
    assert failure is not None and failure.get("type") == status and "eval.jsonl" in (failure.text or "")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_no_text_breaks_the_xml(text: str) -> None:
    """Any characters in names and values, control characters and halves of surrogate pairs too, leave XML."""
    rule = rules_of("error", 1)[0]
    Xml.fromstring(junit(report([finding(rule, 1, file=text, text=text, value=text)], name=text)))
