"""Findings, scores, timeline and the whole story of a run, as rich renderables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...datasets.report import Counts
from ...events import Finding
from ..ledger import Evaluation
from ..story import Story, next_command
from .stages import findings_in_words, rows_in_words
from .styles import SEVERITY_STYLES
from .words import clean, count, duration, metric

STATUS_STYLES = {
    "registered": "green",
    "rejected": "red",
    "failed": "red",
    "model-rejected": "red",
    "waiting": "yellow",
    "superseded": "cyan",
}


def finding(one: Finding) -> RenderableType:
    """A finding in a few lines: severity, code and place; what is wrong; found and allowed; how to fix it."""
    place = [clean(one.file)] if one.file else []
    if one.line is not None:
        place.append(f"line {one.line}")
    if one.pointer:
        place.append(clean(one.pointer))
    head = Text.assemble((one.severity, SEVERITY_STYLES[one.severity]), " ", (one.code, "bold"), "  ", " ".join(place))
    lines = [Text(clean(one.message))]
    pairs = (("found", one.found), ("allowed", one.allowed))
    said = [f"{name}: {clean(value)}" for name, value in pairs if value and value not in one.message]
    if said:
        lines.append(Text("; ".join(said)))
    if one.excerpt:
        lines.append(Text(clean(one.excerpt), "dim"))
    lines.append(Text(f"fix: {clean(one.fix)}"))
    return Group(head, Padding(Group(*lines), (0, 0, 0, 2)))


def unlisted(counts: Counts, listed: int) -> list[Text]:
    """A line about the findings that were counted only, when there are any."""
    more = counts.errors + counts.warnings + counts.notes - listed
    return [Text(f"and {more:,} more, counted but not listed")] if more > 0 else []


def scores(evaluation: Evaluation) -> Table:
    """Every contestant on the same rows: the metric that decides with its 95 % interval, then the other metrics."""
    found = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    found.add_column("contestant", overflow="fold")
    found.add_column(metric(evaluation.metric), justify="right", no_wrap=True)
    found.add_column("95 % interval", no_wrap=True)
    found.add_column("rows", justify="right", no_wrap=True)
    others = sorted({name for c in evaluation.contestants for name in c.metrics} - {evaluation.metric})
    for name in others:
        found.add_column(metric(name), justify="right")
    for contestant in evaluation.contestants:
        main = contestant.metrics.get(evaluation.metric)
        cells = ["-", "-", "-"]
        if main is not None:
            cells = [f"{main.value:.3f}", f"{main.low:.3f} to {main.high:.3f}", f"{main.rows:,}"]
        rest = [f"{contestant.metrics[name].value:.3f}" if name in contestant.metrics else "-" for name in others]
        found.add_row(contestant.name, *cells, *rest, style="bold" if contestant.name == "tuned" else "")
    return found


def timeline(story: Story) -> Group:
    """When each hop was done, and how long it took."""
    found = Table.grid(padding=(0, 2, 0, 0))
    found.add_column()
    found.add_column(overflow="fold")
    found.add_column(justify="right", no_wrap=True)
    for hop in story.hops:
        at = datetime.fromtimestamp(hop.at, UTC).strftime("%H:%M:%S")
        found.add_row(at, hop.name, duration(hop.seconds) if hop.seconds is not None else "")
    day = datetime.fromtimestamp(story.hops[0].at, UTC).strftime("%Y-%m-%d") if story.hops else ""
    return Group(Text(f"Hop by hop, {day} (UTC)", "bold"), found)


def facts(story: Story) -> Table:
    """The run in a few named lines; those that are not known yet are left out."""
    found = Table.grid(padding=(0, 2, 0, 0))
    found.add_column(style="bold", no_wrap=True)
    found.add_column(overflow="fold")
    for name, text in _facts(story):
        found.add_row(name, text)
    return found


def whole_story(story: Story, folder: str) -> Group:
    """All that the ledger tells, in the order in which it happened, and what to do next."""
    parts: list[RenderableType] = [facts(story)]
    if story.report is not None and story.report.findings:
        parts += ["", Text("Findings", "bold"), *(finding(one) for one in story.report.findings)]
        parts += unlisted(story.report.counts, len(story.report.findings))
    parts += outcome(story)
    if story.hops:
        parts += ["", timeline(story)]
    parts += ["", *where(story, folder)]
    return Group(*parts)


def outcome(story: Story) -> list[RenderableType]:
    """How it ended: the failure, or the scores with their verdict."""
    if story.failure is not None:
        words = f"{story.failure.code}: {clean(story.failure.message)}"
        return ["", Text("Tuning failed", "bold red"), Text(words)]
    if story.evaluation is None:
        return []
    style = "bold green" if story.evaluation.verdict == "approved" else "bold red"
    verdict = Text.assemble("Verdict: ", (story.evaluation.verdict, style), f". {clean(story.evaluation.reason)}")
    rows = count(story.evaluation.rows, "row")
    heading = Text(f"Scores, everyone on the same {rows}, held out from training", "bold")
    untried = [
        Text(f"{contestant.name} could not be tried: {clean(contestant.refused)}", "yellow")
        for contestant in story.evaluation.contestants
        if contestant.refused is not None
    ]
    return ["", heading, scores(story.evaluation), *untried, "", verdict]


def where(story: Story, folder: str) -> Iterable[RenderableType]:
    """The run's folder and report, and the next command; paths are never wrapped apart."""
    yield Text.assemble(("Folder  ", "bold"), folder, overflow="fold")
    if story.report is not None:
        yield Text.assemble(("Report  ", "bold"), f"{folder}report.html", overflow="fold")
    yield Text.assemble(("Next    ", "bold"), next_command(story), overflow="fold")


def stand_in_in_words(story: Story) -> str:
    """What the local cloud really tuned."""
    asked = f", standing in for {story.report.base_model}" if story.report and story.report.base_model else ""
    return f"{story.stand_in}{asked}"


def _facts(story: Story) -> Iterable[tuple[str, Text]]:
    yield "Run", Text(story.run_id)
    yield "Status", Text(story.status, STATUS_STYLES.get(story.status, "cyan"))
    report = story.report
    if report is not None:
        rows = f" · {rows_in_words(report)}" if report.files else ""
        yield "Data set", Text(f"{clean(report.dataset)} · {report.format or 'format unknown'}{rows}")
        for file in report.files:
            yield "", Text(f"{file.role}: {clean(file.name)}#{file.generation}, {count(file.rows, 'row')}")
        if report.missing:
            yield "Missing", Text(", ".join(clean(name) for name in report.missing), "yellow")
        yield "Findings", Text(findings_in_words(report.counts))
        if report.method:
            yield "Method", Text(f"{report.method} on {report.base_model}")
    if story.plan is not None and story.plan.forecast is not None:
        forecast = story.plan.forecast
        usd = "" if forecast.usd is None else f", ${forecast.usd:,.2f} at list price"
        yield (
            "Forecast",
            Text(
                f"{forecast.steps:,} steps of {forecast.batch_size}, {forecast.epochs:g} epochs, "
                f"about {forecast.training_tokens:,} tokens{usd}"
            ),
        )
    if story.job is not None:
        yield "Job", Text(story.job.name)
    if story.model is not None:
        yield "Model", Text(story.model)
    if story.stand_in is not None:
        yield "Tuned", Text(stand_in_in_words(story))
    if story.endpoint is not None:
        yield "Endpoint", Text(story.endpoint)
    if story.registered is not None:
        yield "Aliases", Text(", ".join(story.registered.aliases))
        if story.registered.replaced is not None:
            yield "Replaced", Text(story.registered.replaced)
