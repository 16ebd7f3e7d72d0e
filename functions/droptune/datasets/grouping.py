"""Findings by rule, as a person reads them: what blocks first, then what there is most of."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from ..events import Finding, Severity
from .report import Report
from .rules import Remedy, Rule
from .wording import Wording, known_rule

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
REMEDIES: tuple[Remedy, ...] = get_args(Remedy)


class Group(NamedTuple):
    """The findings of one code. `total` is of all of them, `findings` are those that the report lists.

    `remedy` is what `droptune fix` does about them: "some" where it corrects some without loss, and others not.
    """

    code: str
    rule: Rule | None
    severity: Severity
    kind: str
    total: int
    findings: tuple[Finding, ...]
    remedy: Remedy | Literal["some"]

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
    first, known = findings[0], known_rule(code)
    remedies: set[Remedy] = {finding.remedy or (known.remedy if known else "none") for finding in findings}
    # Of those that are counted only, errors may be lost where not all of the data set can be corrected.
    unsure = total > len(findings) and first.severity == "error" and report.verdict != "repairable"
    if "correct" in remedies and (unsure or len(remedies) > 1):
        remedy: Remedy | Literal["some"] = "some"
    else:
        remedy = next(one for one in REMEDIES if one in remedies)
    return Group(code, known, first.severity, first.kind, total, tuple(findings), remedy)
