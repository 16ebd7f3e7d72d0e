"""The findings of a page: a filter, then one block per rule with its places, an example and its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...events import Finding
from ..grouping import SEVERITIES, Group, groups
from ..report import Report
from ..rules import Rule, kinds
from ..wording import Wording
from .markup import code, icon, plain, prose

PLACES_AT_FIRST = 8  # the others are a click away
OPEN_AT_FIRST = 4  # blocks of errors that need no click at all


def findings(report: Report, say: Wording) -> Iterator[str]:
    """The section as lines of HTML."""
    yield f'<section id="findings" aria-labelledby="h-findings"><h2 id="h-findings">{say("findings")}</h2>'
    found = groups(report, say)
    if not found:
        text = say("no_findings_text" if report.files else "not_checked_text")
        yield f'<div class="card calm">{icon("valid")}<p><b>{say("no_findings")}</b><br>{plain(text)}</p></div>'
    else:
        yield _filter(report, found, say)
        for index, group in enumerate(found):
            yield _block(group, say, opened=group.severity == "error" and index < OPEN_AT_FIRST)
        yield f'<p class="quiet" id="none" hidden>{say("none_shown")}</p>'
    yield "</section>"


def _filter(report: Report, found: Sequence[Group], say: Wording) -> str:
    """The form, hidden until the script that it needs has run."""
    totals = dict(zip(SEVERITIES, (report.counts.errors, report.counts.warnings, report.counts.notes), strict=True))
    present = {group.severity for group in found}
    toggles = "".join(
        f'<label class="toggle {severity}"><input type="checkbox" name="severity" value="{severity}" checked>'
        f"{icon(severity)}{say(severity + 's')} <b>{totals[severity]:,}</b></label>"
        for severity in SEVERITIES
        if severity in present
    )
    by_kind = _select("kind", say("kind"), say("all_kinds"), {group.kind for group in found})
    files = {finding.file for group in found for finding in group.findings if finding.file}
    by_file = _select("file", say("file"), say("all_files"), files) if len(files) > 1 else ""
    return (
        f'<form id="filter" class="card filter" role="search" aria-label="{say("filter")}" hidden>'
        f'<fieldset><legend class="unseen">{say("filter_severity")}</legend>{toggles}</fieldset>'
        f'<label class="grow"><span class="unseen">{say("filter_text")}</span>'
        f'<input type="search" name="text" placeholder="{say("filter_hint")}" autocomplete="off"></label>'
        f"{by_kind}{by_file}"
        f'<button type="reset">{say("reset")}</button>'
        f'<output name="shown" aria-live="polite" data-template="{plain(say("shown"))}"></output></form>'
    )


def _select(name: str, label: str, everything: str, values: Iterable[str]) -> str:
    options = "".join(f'<option value="{plain(value)}">{plain(value)}</option>' for value in sorted(values))
    return (
        f'<label><span class="unseen">{label}</span>'
        f'<select name="{name}"><option value="">{everything}</option>{options}</select></label>'
    )


def _block(group: Group, say: Wording, *, opened: bool) -> str:
    title = group.rule.title[say.language] if group.rule else group.code
    return (
        f'<details class="rule {group.severity}" id="{plain(group.code)}" data-severity="{group.severity}" '
        f'data-kind="{plain(group.kind)}"{" open" if opened else ""}>'
        f'<summary>{icon(group.severity)}<span class="name"><span class="unseen">{say(group.severity)}: </span>'
        f'<span class="title">{prose(title)}</span> <span class="code">{plain(group.code)}</span></span>'
        f'<span class="count" aria-label="{say("count_places", n=group.total)}">{group.total:,}</span></summary>'
        f'<div class="body">{"".join(_body(group, say))}</div></details>'
    )


def _body(group: Group, say: Wording) -> Iterator[str]:
    """What all places have in common, then the places, then what the rule says."""
    message = _common(finding.message for finding in group.findings)
    if message:
        yield f'<p class="message">{prose(message)}</p>'
    fix = _common(finding.fix for finding in group.findings)
    yield f'<p class="fix"><span class="tag">{say("fix")}</span> {prose(fix or group.findings[0].fix)}</p>'
    if group.remedy != "none":
        yield f'<p class="remedy">{icon("tool")}{prose(say("remedy_" + group.remedy))}</p>'
    yield from _places(group, say, with_message=not message)
    allowed = _common(finding.allowed or "" for finding in group.findings)
    if allowed:
        yield f'<p class="allowed"><span class="tag">{say("allowed")}</span> {prose(allowed)}</p>'
    if group.rule:
        yield _examples(group.rule, say)
    yield _about(group, say)


def _places(group: Group, say: Wording, *, with_message: bool) -> Iterator[str]:
    listed = [_place(finding, say, with_message=with_message) for finding in group.findings]
    yield f'<ul class="places" aria-label="{say("places")}">{"".join(listed[:PLACES_AT_FIRST])}</ul>'
    rest = listed[PLACES_AT_FIRST:]
    if rest:
        summary = say("more_places", n=len(rest))
        yield f'<details class="more"><summary>{summary}</summary><ul class="places">{"".join(rest)}</ul></details>'
    if group.unlisted > 0:
        yield f'<p class="quiet">{say("uncounted", n=group.unlisted)}</p>'


def _place(finding: Finding, say: Wording, *, with_message: bool) -> str:
    where = [f'<span class="file">{plain(finding.file)}</span>' if finding.file else say("whole_set")]
    if finding.line is not None:
        title = f' title="{say("byte", n=str(finding.offset))}"' if finding.offset is not None else ""
        where.append(f"<b{title}>{say('line', n=str(finding.line))}</b>")
    if finding.pointer:
        where.append(code(finding.pointer))
    parts: list[str] = []
    if with_message:
        parts.append(f"<p>{prose(finding.message)}</p>")
    if finding.found and finding.found not in finding.message and finding.found != finding.excerpt:
        parts.append(f'<p><span class="tag">{say("found")}</span> {code(finding.found)}</p>')
    if finding.excerpt:
        parts.append(f'<code class="excerpt">{plain(finding.excerpt)}</code>')
    said = f"<div>{''.join(parts)}</div>" if parts else ""
    return f'<li data-file="{plain(finding.file or "")}"><span class="where">{" ".join(where)}</span>{said}</li>'


def _examples(rule: Rule, say: Wording) -> str:
    pairs = (("wrong", rule.wrong), ("right", rule.right))
    shown = "".join(
        f'<figure class="{name}"><figcaption>{icon("error" if name == "wrong" else "valid")}{say(name)}</figcaption>'
        f"<pre>{plain(text)}</pre></figure>"
        for name, text in pairs
        if text
    )
    return f'<div class="examples">{shown}</div>'


def _about(group: Group, say: Wording) -> str:
    meaning = kinds().get(group.kind, {}).get(say.language, "")
    parts = [f"{say('kind')}: {code(group.kind)} {plain(meaning)}"]
    source = group.rule.source if group.rule else group.findings[0].source
    if source:
        parts.append(f"{say('source')}: {plain(source)}")
    return f'<p class="about">{"<br>".join(parts)}</p>'


def _common(texts: Iterable[str]) -> str:
    """The one text that all are, or nothing."""
    different = set(texts)
    return different.pop() if len(different) == 1 else ""
