"""The report as JUnit XML, which every CI service reads: a suite per file, a case per rule that has something to say.

Errors are failures; warnings and notes pass and are told in the case's output. A file without errors has one case more,
which passes, so that a clean file is seen as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from ..events import Finding
from .grouping import Group, groups
from .report import Report
from .rules import Language
from .wording import Wording

PLACES_LISTED = 50
# What XML 1.0 cannot hold, not even as a reference.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Case(NamedTuple):
    """A rule in a file."""

    group: Group
    findings: tuple[Finding, ...]


def junit(report: Report, language: Language = "en") -> bytes:
    """The whole document in a language, the same bytes for the same report. Reports know no times: all are 0."""
    say = Wording(language)
    by_file = _cases(report, say)
    root = Xml.Element("testsuites", {"name": "droptune"})
    for file, cases in by_file.items():
        root.append(_suite(report, file, cases, say))
    _total(root, [suite.attrib for suite in root])
    Xml.indent(root)
    document: bytes = Xml.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + document + b"\n"


def _cases(report: Report, say: Wording) -> dict[str | None, list[Case]]:
    """The rules of each file, files in their order and at last the data set as a whole (None), where it has any."""
    by_file: dict[str | None, list[Case]] = {file.name: [] for file in report.files}
    for group in groups(report, say):
        places: dict[str | None, list[Finding]] = {}
        for finding in group.findings:
            places.setdefault(finding.file, []).append(finding)
        for file, findings in places.items():
            by_file.setdefault(file, []).append(Case(group, tuple(findings)))
    whole = by_file.pop(None, [])
    return {**by_file, None: whole} if whole or not by_file else by_file


def _suite(report: Report, file: str | None, cases: Sequence[Case], say: Wording) -> Xml.Element:
    name = file if file is not None else report.dataset
    suite = Xml.Element("testsuite", {"name": _clean(name)})
    if not report.files:
        suite.append(_unread(report, name, say))
    elif all(case.group.severity != "error" for case in cases):
        suite.append(_element(name, say("usable")))
    suite.extend(_case(name, case, say) for case in cases)
    failures = sum(1 for case in suite if case.find("failure") is not None)
    _total(suite, [{"tests": str(len(suite)), "failures": str(failures)}])
    return suite


def _total(element: Xml.Element, parts: Sequence[dict[str, str]]) -> None:
    for count in ("tests", "failures", "errors", "skipped"):
        element.set(count, str(sum(int(part.get(count, 0)) for part in parts)))
    element.set("time", "0")


def _unread(report: Report, name: str, say: Wording) -> Xml.Element:
    """The case of a data set of which nothing was read: it fails, and says what is waited for."""
    words = say("status_" + report.status)
    element = _element(name, words)
    missing = ", ".join(report.missing)
    _text(element, "failure", f"{words} {missing}".rstrip(), {"message": words, "type": report.status})
    return element


def _case(name: str, case: Case, say: Wording) -> Xml.Element:
    group = case.group
    element = _element(name, f"{group.code} {say.title(group.code)}" if group.rule else group.code)
    text = "\n".join(_lines(case, say))
    if group.severity == "error":
        first = case.findings[0]
        _text(element, "failure", text, {"message": _clean(f"{first.message} {first.fix}"), "type": group.code})
    else:
        _text(element, "system-out", f"{say(group.severity)}\n{text}", {})
    return element


def _lines(case: Case, say: Wording) -> Iterator[str]:
    """A line per place, as editors and logs link it, then how to put it right."""
    for finding in case.findings[:PLACES_LISTED]:
        line = "" if finding.line is None else f":{finding.line}"
        pointer = f" {finding.pointer}" if finding.pointer else ""
        yield f"{finding.file or say('whole_set')}{line}{pointer}: {finding.message}"
    if len(case.findings) > PLACES_LISTED:
        yield say("more_places", n=len(case.findings) - PLACES_LISTED)
    if case.group.unlisted > 0:
        yield say("in_all", n=case.group.total)
    yield f"{say('fix')}: {case.findings[0].fix}"


def _element(file: str, name: str) -> Xml.Element:
    attributes = {"classname": f"droptune.{file}", "name": name, "file": file, "time": "0"}
    return Xml.Element("testcase", {key: _clean(value) for key, value in attributes.items()})


def _text(parent: Xml.Element, tag: str, text: str, attributes: dict[str, str]) -> None:
    Xml.SubElement(parent, tag, attributes).text = _clean(text)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
