"""The report as one HTML page, offline, for phones, light and dark. Rows are hostile: all their text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from ..events import Finding
from .findings import rules
from .report import Report, Statistics

SHOWN_PER_RULE = 50
VERDICTS = {
    "ready": "Ready for tuning",
    "rejected": "Rejected: correct the errors and drop it again",
    "waiting": "Waiting for more files",
}
STYLE = """
:root { color-scheme: light dark; --line: #8884; --error: #c5221f; --warning: #b06000; --note: #1a73e8; }
@media (prefers-color-scheme: dark) { :root { --error: #f28b82; --warning: #fdd663; --note: #8ab4f8; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; margin: .2rem 0; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
details { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .8rem; margin: .5rem 0; }
summary { cursor: pointer; } li, code, pre { overflow-wrap: anywhere; } pre { white-space: pre-wrap; margin: .2rem 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .85em; } .quiet { opacity: .75; }
.error { color: var(--error); } .warning { color: var(--warning); } .note { color: var(--note); }
meter { width: 8rem; }
"""


def page(report: Report) -> bytes:
    """The whole page, the same bytes for the same report."""
    title = escape(report.run_id or report.dataset)
    body = "\n".join(
        [
            f"<h1>{title}</h1>",
            f'<p class="{_tone(report)}"><strong>{VERDICTS[report.status]}</strong></p>',
            *_summary(report),
            *_findings(report),
            *(line for role, statistics in report.statistics.items() for line in _statistics(role, statistics)),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    ).encode("utf-8", "replace")


def _tone(report: Report) -> str:
    return {"ready": "note", "rejected": "error", "waiting": "warning"}[report.status]


def _summary(report: Report) -> Iterable[str]:
    counts = report.counts
    yield f"<p>{counts.errors:,} errors, {counts.warnings:,} warnings, {counts.notes:,} notes"
    if report.format:
        yield f" · format {escape(report.format)}"
    if report.method and report.base_model:
        yield f" · method {escape(report.method)} on {escape(report.base_model)}"
    yield "</p>"
    if report.missing:
        yield f"<p>Missing: {', '.join(f'<code>{escape(name)}</code>' for name in report.missing)}</p>"
    if report.files:
        rows = [
            (file.role, f"<code>{escape(file.name)}</code>", f"{file.rows:,}", f"{file.bytes:,}")
            for file in report.files
        ]
        yield "<h2>Files</h2>"
        yield _table(("role", "file", "rows", "bytes"), rows, numbers_from=2)


def _findings(report: Report) -> Iterable[str]:
    if not report.findings:
        return
    yield "<h2>Findings</h2>"
    by_rule = sorted(report.findings, key=lambda f: (("error", "warning", "note").index(f.severity), f.code))
    for code, group in groupby(by_rule, key=lambda finding: finding.code):
        yield _rule(code, list(group), report.counts.by_code.get(code, 0))


def _rule(code: str, findings: Sequence[Finding], count: int) -> str:
    rule, first = rules()[code], findings[0]
    places = "".join(f"<li>{_place(finding)}</li>" for finding in findings[:SHOWN_PER_RULE])
    more = count - min(len(findings), SHOWN_PER_RULE)
    rest = f'<p class="quiet">and {more:,} more</p>' if more > 0 else ""
    opened = " open" if rule.severity == "error" else ""
    return (
        f'<details{opened}><summary><strong class="{rule.severity}">{rule.severity}</strong> {escape(rule.title)} '
        f'<span class="quiet">{escape(code)} · {count:,}</span></summary>'
        f"<p>{escape(first.fix)}</p><ul>{places}</ul>{rest}"
        f"<p>Wrong</p><pre>{escape(rule.wrong)}</pre><p>Right</p><pre>{escape(rule.right)}</pre>"
        f'<p class="quiet">Source: {escape(rule.source)}</p></details>'
    )


def _place(finding: Finding) -> str:
    where = [escape(finding.file or "")]
    if finding.line is not None:
        where.append(f"line {finding.line:,}")
    if finding.pointer:
        where.append(f"<code>{escape(finding.pointer)}</code>")
    quoted = f"<br><code>{escape(finding.excerpt)}</code>" if finding.excerpt else ""
    place = ", ".join(part for part in where if part)
    return (f'<span class="quiet">{place}</span> ' if place else "") + escape(finding.message) + quoted


def _statistics(role: str, statistics: Statistics) -> Iterable[str]:
    yield f"<h2>Rows of {escape(role)}</h2>"
    yield f"<p>{statistics.rows:,} rows, {statistics.characters:,} characters</p>"
    if statistics.fields:
        marks = list(next(iter(statistics.fields.values())).percentiles)
        rows = [
            (name, *(f"{n:,}" for n in (summary.min, *summary.percentiles.values(), summary.max)), f"{summary.mean:,}")
            for name, summary in statistics.fields.items()
        ]
        yield _table(("characters", "min", *marks, "max", "mean"), rows, numbers_from=1)
    if statistics.labels:
        most = max(statistics.labels.values())
        labels = [
            (f"<code>{escape(label)}</code>", f"{count:,}", f'<meter max="{most}" value="{count}"></meter>')
            for label, count in statistics.labels.items()
        ]
        yield _table(("label", "rows", ""), labels, numbers_from=1)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int) -> str:
    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="number">{value}</{tag}>' if index >= numbers_from else f"<{tag}>{value}</{tag}>"
            for index, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{cells("th", head)}</tr>{body}</table></div>'
