"""A data set's report in a terminal: the verdict, the files, the findings by rule, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...datasets.grouping import Group as Rule
from ...datasets.grouping import groups
from ...datasets.report import Report
from ...datasets.rules import Language
from ...datasets.wording import Wording, state_of
from ...events import Finding
from ..paths import SCHEME, word
from .styles import SEVERITY_STYLES
from .words import clean

PLACES_SHOWN = 3
SIGNS = {"error": "✗", "warning": "!", "note": "i"}
STATE_STYLES = {
    "ready": "green",
    "idle": "yellow",
    "evaluation": "yellow",
    "repairable": "yellow",
    "rejected": "red",
    "waiting": "yellow",
    "superseded": "cyan",
}


def checked(report: Report, language: Language = "en", *, path: str | None = None) -> Group:
    """The report in a language; `path` is what was checked, where that is one path, for the command to type next."""
    say = Wording(language)
    found = groups(report, say)
    parts: list[RenderableType] = [_verdict(report, say), *_facts(report, say)]
    for rule in found:
        parts += ["", *_rule(rule, say)]
    for one in () if report.status == "rejected" else report.advice:  # first things first
        parts += ["", Text.assemble((f"{say('advice')}  ", "bold cyan"), clean(say.advice(one).message))]
    following = list(_next(report, found, path, say))
    return Group(*parts, *([""] if following else []), *following)


def _verdict(report: Report, say: Wording) -> Text:
    """``cards: not usable · 2 errors, 1 warning``; the first line, so that it is read even if no other is."""
    state = state_of(report)
    style = "yellow" if state == "ready" and report.verdict == "warn" else STATE_STYLES[state]
    counts = (("errors", report.counts.errors), ("warnings", report.counts.warnings), ("notes", report.counts.notes))
    numbers = say("separator").join(say("count_" + name, n=number) for name, number in counts if number)
    return Text.assemble(
        (clean(report.dataset), "bold"),
        ": ",
        (say("status_" + state), f"bold {style}"),
        f" · {numbers or say('no_findings')}",
    )


def _facts(report: Report, say: Wording) -> Iterator[RenderableType]:
    """What the rows are and tune, then a line per file."""
    facts = [f"{say('format')} {report.format or say('unknown')}"]
    facts += [
        f"{say(name)} {clean(value)}"
        for name, value in (("method", report.method), ("base_model", report.base_model))
        if value
    ]
    tokens = next((one.tokens for one in report.statistics.values() if one.tokens), None)
    if tokens is not None:
        facts.append(f"{say('tokens')} {tokens.total:,} ({say('interval', low=tokens.low, high=tokens.high)})")
    yield Text(" · ".join(facts), "dim")
    if report.files:
        files = Table.grid(padding=(0, 2, 0, 0))
        files.add_column(no_wrap=True)
        files.add_column(overflow="fold")
        files.add_column(justify="right", no_wrap=True)
        for file in report.files:
            files.add_row(say("role_" + file.role), clean(file.name), say("count_rows", n=file.rows))
        yield Padding(files, (0, 0, 0, 2))
    if report.missing:
        yield Text(f"{say('missing')}: {', '.join(clean(name) for name in report.missing)}", "yellow")


def _rule(rule: Rule, say: Wording) -> Iterator[RenderableType]:
    """A rule's title with its number of findings, the first places, how to put it right."""
    style = SEVERITY_STYLES[rule.severity]
    times = f" ×{rule.total:,}" if rule.total > 1 else ""
    yield Text.assemble(
        (f"{SIGNS[rule.severity]} {say(rule.severity)}  ", f"bold {style}"),
        (clean(say.title(rule.code)), "bold"),
        (times, f"bold {style}"),
        (f"  {rule.code}", "dim"),
    )
    lines: list[RenderableType] = []
    one_message = len({finding.message for finding in rule.findings}) == 1
    if one_message:
        lines.append(Text(clean(rule.findings[0].message)))
    lines += [
        _place(finding, say, with_message=not one_message)
        for finding in rule.findings[:PLACES_SHOWN]
        if _placed(finding)
    ]
    more = rule.total - PLACES_SHOWN
    if more > 0:
        lines.append(Text("  " + say("more_places", n=more), "dim"))
    allowed = {finding.allowed for finding in rule.findings}
    if len(allowed) == 1 and (one_allowed := allowed.pop()):
        lines.append(Text.assemble((f"{say('allowed')}: ", "bold"), clean(one_allowed)))
    lines.append(Text.assemble((f"{say('fix')}: ", "bold"), clean(rule.findings[0].fix)))
    if rule.remedy != "none":
        lines.append(Text(say("remedy_" + rule.remedy), "dim"))
    yield Padding(Group(*lines), (0, 0, 0, 2))


def _placed(finding: Finding) -> bool:
    return finding.file is not None or finding.line is not None


def _place(finding: Finding, say: Wording, *, with_message: bool) -> RenderableType:
    """``train.jsonl:17 /output_text`` as editors open it, with what stands there."""
    where = clean(finding.file or say("whole_set"))
    if finding.line is not None:
        where += f":{finding.line}"
    text = Text.assemble((where, "cyan"))
    if finding.pointer:
        text.append(f" {clean(finding.pointer)}", "cyan dim")
    if with_message:
        text.append(f"  {clean(finding.message)}")
    if finding.excerpt:
        text.append(f"  {clean(finding.excerpt)}", "dim")
    return Padding(text, (0, 0, 0, 2))


def _next(report: Report, found: list[Rule], path: str | None, say: Wording) -> Iterator[RenderableType]:
    """The command that brings the data set on, and the one that explains the first finding."""
    commands = [(command, "") for command in _onwards(report, path)]
    if found:
        commands.append((f"droptune explain {found[0].code}", f"  {say('explain')}"))
    for command, why in commands:
        yield Text.assemble((f"{say('next')}  ", "bold"), (command, "green"), (why, "dim"), overflow="fold")


def _onwards(report: Report, path: str | None) -> list[str]:
    """What to type when the data set can be used or repaired; nothing for files that are in a bucket."""
    state = state_of(report)
    if "SPLIT-TOO-FEW" in report.counts.by_code:  # dropped alone, it would start no job
        return []
    if state == "ready" and path is not None and not path.startswith(SCHEME):
        return [f"droptune drop {word(path)} --watch"]
    if state != "repairable":
        return []
    wrong = {finding.file for finding in report.findings if finding.severity == "error"}
    names = [file.name for file in report.files if file.name in wrong]
    if path is not None and len(report.files) == 1:
        names = [path]
    return [f"droptune fix {word(name)}" for name in names if not name.startswith(SCHEME)]
