"""The report of a run's intake: ``report.json`` in the ledger, and what the command line shows.

Version 1. `status` is ``ready`` (a job may start), ``rejected`` (errors block it) or ``waiting`` (the files in
`missing` are not there yet). `counts` covers every finding; `findings` holds the first of them in full, errors first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import msgspec

from ..events import Finding, Format, Role
from .findings import Findings
from .statistics import Rows, Summary

if TYPE_CHECKING:
    from .check import Checked

VERSION = 1

Status = Literal["ready", "rejected", "waiting"]


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """One file. `rows` are its lines that are not blank; `generation` is None for a local file."""

    role: Role
    name: str
    generation: int | None
    rows: int
    bytes: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many findings there are, by severity and by code."""

    errors: int = 0
    warnings: int = 0
    notes: int = 0
    by_code: dict[str, int] = {}


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows without error amount to.

    `fields` has the lengths of ``prompt`` and ``answer`` in characters; `labels` counts the answers where they look
    like labels, and is None where they do not.
    """

    rows: int
    characters: int
    labels: dict[str, int] | None
    fields: dict[str, Summary]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The documented form of ``report.json``."""

    version: int = VERSION
    run_id: str | None
    dataset: str
    status: Status
    format: Format | None = None
    method: str | None = None
    base_model: str | None = None
    files: tuple[FileReport, ...] = ()
    counts: Counts
    findings: tuple[Finding, ...] = ()
    statistics: dict[Role, Statistics] = {}
    missing: tuple[str, ...] = ()


def build(*, dataset: str, run_id: str | None, status: Status, checked: Checked) -> Report:
    """The report on files that were read."""
    choice = checked.choice
    return Report(
        run_id=run_id,
        dataset=dataset,
        status=status,
        format=checked.format,
        method=choice.method.name if choice else None,
        base_model=choice.base_model.name if choice else None,
        files=checked.files(),
        counts=counts_of(checked.findings),
        findings=checked.findings.listed(),
        statistics=checked.statistics(),
    )


def without_files(
    *, dataset: str, run_id: str, status: Status, findings: Findings, missing: Iterable[str] = ()
) -> Report:
    """The report on a data set of which no file was read."""
    return Report(
        run_id=run_id,
        dataset=dataset,
        status=status,
        counts=counts_of(findings),
        findings=findings.listed(),
        missing=tuple(missing),
    )


def counts_of(findings: Findings) -> Counts:
    """All findings by severity and code, codes in order."""
    return Counts(
        errors=findings.count("error"),
        warnings=findings.count("warning"),
        notes=findings.count("note"),
        by_code=dict(sorted(findings.by_code.items())),
    )


def statistics_of(content: Rows, rows: int) -> Statistics:
    """The statistics of one file."""
    lengths = {"prompt": content.prompt.summary(), "answer": content.answer.summary()}
    labels = content.labels
    return Statistics(
        rows=rows,
        characters=content.characters,
        labels=None if labels is None else dict(labels),
        fields={name: summary for name, summary in lengths.items() if summary is not None},
    )


def encode(report: Report) -> bytes:
    """The report as indented JSON, the same bytes for the same report."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
