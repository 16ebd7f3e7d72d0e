"""What a page says first: the verdict, what the data set is, and advice."""

from __future__ import annotations

from collections.abc import Iterator

from ..report import FileReport, Report
from ..wording import Wording, state_of
from .markup import code, icon, plain, prose, table
from .statistics import tokens_in_words

TONES = {
    "ready": "valid",
    "repairable": "warning",
    "rejected": "error",
    "waiting": "warning",
    "superseded": "note",
    "idle": "warning",
    "evaluation": "warning",
}


def banner(report: Report, say: Wording) -> Iterator[str]:
    """Whether the data set can be used, in a line that can be seen from afar, and how many findings there are."""
    state = state_of(report)
    tone = "warning" if state == "ready" and report.verdict == "warn" else TONES[state]
    title = say("status_" + state)
    yield f'<section class="banner {tone}" aria-label="{title}">{icon(tone)}<div><p class="status">{title}</p>'
    yield f"<p>{prose(_why(report, say))}</p></div>"
    counts = report.counts
    numbers = (("error", counts.errors), ("warning", counts.warnings), ("note", counts.notes))
    chips = "".join(
        f'<li class="{severity}{"" if number else " zero"}">{icon(severity)}{say(f"count_{severity}s", n=number)}</li>'
        for severity, number in numbers
    )
    yield f'<ul class="chips">{chips}</ul></section>'


def _why(report: Report, say: Wording) -> str:
    if report.status == "superseded":
        return say("status_superseded_text")
    if report.status == "waiting" and report.missing:
        return say("status_waiting_text", files=", ".join(f"`{name}`" for name in report.missing))
    return say("verdict_" + report.verdict) if report.verdict else say("not_checked_text")


def summary(report: Report, say: Wording) -> Iterator[str]:
    """The section with the numbers at a glance, what the rows are, and the files."""
    yield f'<section id="summary" aria-labelledby="h-summary"><h2 id="h-summary">{say("summary")}</h2>'
    tiles = "".join(
        f'<div class="tile"><dt>{plain(term)}</dt><dd>{value}</dd>'
        f"{f'<dd class=quiet>{plain(more)}</dd>' if more else ''}</div>"
        for term, value, more in _tiles(report, say)
    )
    if tiles:
        yield f'<dl class="tiles">{tiles}</dl>'
    facts = "".join(f"<div><dt>{plain(term)}</dt><dd>{value}</dd></div>" for term, value in _facts(report, say))
    yield f'<dl class="card facts">{facts}</dl>'
    if report.files:
        head = (say("file"), say("role"), say("format"), say("rows"), say("lines"), say("size"))
        rows = [_file(file, say) for file in report.files]
        yield f'<div class="card">{table(say("files"), head, rows, numbers_from=3, style="files")}</div>'
    yield "</section>"


def _tiles(report: Report, say: Wording) -> Iterator[tuple[str, str, str]]:
    """Term, value and what else is known of it; the rows of each file, then all characters and tokens."""
    for file in report.files:
        yield f"{say('rows')} · {say('role_' + file.role)}", f"{file.rows:,}", ""
    train = report.statistics.get("train") or next(iter(report.statistics.values()), None)
    if train is None or not train.rows:
        return
    yield say("characters"), f"{train.characters:,}", ""
    if train.tokens:
        yield say("tokens"), f"{train.tokens.total:,}", tokens_in_words(train.tokens, say)


def _facts(report: Report, say: Wording) -> Iterator[tuple[str, str]]:
    yield say("format"), code(report.format) if report.format else say("unknown")
    if report.method:
        yield say("method"), code(report.method)
    if report.base_model:
        yield say("base_model"), code(report.base_model)
    if report.missing:
        yield say("missing"), ", ".join(code(name) for name in report.missing)


def _file(file: FileReport, say: Wording) -> tuple[str, ...]:
    generation = "" if file.generation is None else f' <span class="quiet">#{file.generation}</span>'
    return (
        code(file.name) + generation,
        say("role_" + file.role),
        code(file.format) if file.format else say("unknown"),
        f"{file.rows:,}",
        f"{file.lines:,}",
        say("bytes", n=file.bytes),
    )


def advice(report: Report, say: Wording) -> Iterator[str]:
    """The section with what to do next with this data; nothing where there is no advice."""
    every = [(each, one) for each in report.sets or (report,) for one in each.advice]
    if not every:
        return
    yield f'<section id="advice" aria-labelledby="h-advice"><h2 id="h-advice">{say("advice")}</h2><ul class="advice">'
    for each, one in ((each, say.advice(one)) for each, one in every):
        of = f"{plain(each.dataset)}: " if report.sets else ""
        yield (
            f'<li class="card">{icon("advice")}<div><p>{of}{prose(one.message)}</p>'
            f'<p class="about">{plain(one.code)} · {say("source")}: {plain(one.source)}</p></div></li>'
        )
    yield "</ul></section>"
