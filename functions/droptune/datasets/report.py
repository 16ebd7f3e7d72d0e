"""The report of a run's intake: ``report.json`` in the ledger, and what the command line shows.

Version 2. `status` is ``ready`` (a job may start), ``rejected`` (errors block it), ``waiting`` (the files in `missing`
are not there yet) or ``superseded`` (an object was replaced while it was read: its new generation is another run).
`verdict` is about the files alone. `rows` and `lines` are those of the first file. `counts` covers every finding;
`findings` holds the first of them in full, errors first. A report on several data sets has theirs, complete, in `sets`;
its own `statistics` and `advice` are empty then, and `rows` and `lines` are those of all sets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec

from ..events import Finding, Format, Role

VERSION = 2

Status = Literal["ready", "rejected", "waiting", "superseded"]
# valid: nothing worse than notes. warn: doubts. repairable: `droptune fix` corrects all errors without loss.
Verdict = Literal["valid", "warn", "repairable", "invalid"]


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """One file. `rows` are its lines that are not blank; `generation` is None for a local file."""

    role: Role
    name: str
    generation: int | None
    format: Format | None
    rows: int
    lines: int
    bytes: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many findings there are, by severity and by code."""

    errors: int = 0
    warnings: int = 0
    notes: int = 0
    by_code: dict[str, int] = {}


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """How many values lie from `least` to `most`, both included."""

    least: int
    most: int
    count: int


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """A number of tokens: `total` lies between `low` and `high` with 95 % confidence.

    `basis` says how it is known: all rows were counted, a sample was, or characters were, no tokenizer being there.
    """

    total: int
    low: int
    high: int
    basis: Literal["counted", "sampled", "estimated"]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How a number is spread, by default the characters of a field. `percentiles` are exact (nearest rank)."""

    count: int
    total: int
    min: int
    max: int
    mean: float
    percentiles: dict[str, int]
    histogram: tuple[Bin, ...] = ()
    tokens: Tokens | None = None


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows of a file without error amount to.

    `fields` has the characters of each text field; `turns` how many turns an example has, None where a row is none.
    `labels` counts the answers where they look like labels, and is None where they do not. `languages` are shares of
    the `sampled` rows that were looked into.
    """

    rows: int
    characters: int
    tokens: Tokens | None = None
    fields: dict[str, Summary] = {}
    turns: Summary | None = None
    labels: dict[str, int] | None = None
    languages: dict[str, float] = {}
    sampled: int = 0


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of advice, with the rule or source that it rests on."""

    code: str
    message: str
    source: str
    values: dict[str, str | int | float] = {}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The documented form of ``report.json``, and of ``droptune check --json``."""

    version: int = VERSION
    run_id: str | None
    dataset: str
    status: Status
    verdict: Verdict | None = None
    format: Format | None = None
    method: str | None = None
    base_model: str | None = None
    rows: int = 0
    lines: int = 0
    files: tuple[FileReport, ...] = ()
    counts: Counts
    findings: tuple[Finding, ...] = ()
    statistics: dict[Role, Statistics] = {}
    advice: tuple[Advice, ...] = ()
    missing: tuple[str, ...] = ()
    sets: tuple[Report, ...] = ()


def merged(reports: Sequence[Report]) -> Report:
    """The reports on several data sets as one: findings and files of all, what they share, and each of them."""
    if len(reports) == 1:
        return reports[0]
    orders: dict[str, int] = {"error": 0, "warning": 1, "note": 2}
    by_code: Counter[str] = Counter()
    for report in reports:
        by_code.update(report.counts.by_code)
    formats, methods = {report.format for report in reports}, {report.method for report in reports}
    models, states = {report.base_model for report in reports}, {report.status for report in reports}
    return Report(
        run_id=None,
        dataset=", ".join(report.dataset for report in reports),
        status="rejected" if "rejected" in states else "waiting" if "waiting" in states else "ready",
        verdict=max((report.verdict for report in reports), key=lambda verdict: get_args(Verdict).index(verdict)),
        format=formats.pop() if len(formats) == 1 else None,
        method=methods.pop() if len(methods) == 1 else None,
        base_model=models.pop() if len(models) == 1 else None,
        rows=sum(report.rows for report in reports),
        lines=sum(report.lines for report in reports),
        files=tuple(file for report in reports for file in report.files),
        counts=Counts(
            errors=sum(report.counts.errors for report in reports),
            warnings=sum(report.counts.warnings for report in reports),
            notes=sum(report.counts.notes for report in reports),
            by_code=dict(sorted(by_code.items())),
        ),
        findings=tuple(sorted((f for report in reports for f in report.findings), key=lambda f: orders[f.severity])),
        missing=tuple(name for report in reports for name in report.missing),
        sets=tuple(reports),
    )


def encode(report: Report) -> bytes:
    """The report as indented JSON, the same bytes for the same report. Every finding has every field, if only null."""
    return msgspec.json.format(msgspec.json.encode(_told(report)), indent=2) + b"\n"


def _told(report: Report) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(report)
    told["findings"] = [
        {name: getattr(finding, name) for name in Finding.__struct_fields__} for finding in report.findings
    ]
    told["sets"] = [_told(one) for one in report.sets]
    if not report.sets:
        del told["sets"]
    return told
