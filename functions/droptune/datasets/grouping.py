"""Findings by rule, as a person reads them: what blocks first, then what there is most of."""

from __future__ import annotations

from typing import NamedTuple, get_args

from ..events import Finding, Severity
from .report import Report
from .rules import Rule
from .wording import Wording, known_rule

SEVERITIES: tuple[Severity, ...] = get_args(Severity)


class Group(NamedTuple):
    """The findings of one code. `total` is of all of them, `findings` are those that the report lists."""

    code: str
    rule: Rule | None
    severity: Severity
    kind: str
    total: int
    findings: tuple[Finding, ...]

    @property
    def unlisted(self) -> int:
        """How many were counted only."""
        return self.total - len(self.findings)


def groups(report: Report, say: Wording) -> list[Group]:
    """The findings of a report by code and in a language, errors first, then the most frequent."""
    by_code: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_code.setdefault(finding.code, []).append(say.finding(finding))
    every = [_group(code, findings, report) for code, findings in by_code.items()]
    return sorted(every, key=lambda group: (SEVERITIES.index(group.severity), -group.total, group.code))


def _group(code: str, findings: list[Finding], report: Report) -> Group:
    total = max(report.counts.by_code.get(code, 0), len(findings))
    first = findings[0]
    return Group(code, known_rule(code), first.severity, first.kind, total, tuple(findings))
