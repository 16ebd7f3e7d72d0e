"""A run as the stages that a person follows: what is done, what goes on, what is still to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...datasets.report import Counts
from ..follow import Snapshot
from ..jobs import FETCHING, TRAINING, Job, Line
from ..ledger import Evaluation, Report
from ..story import Story
from .words import clean, clock, count, megabytes, metric, short

State = Literal["to come", "doing", "done", "failed"]


@dataclass(frozen=True)
class Stage:
    """One line of the display. `share` (0..1) is there while a bar makes sense; `seconds` once the stage is over."""

    name: str
    state: State
    text: str = ""
    seconds: float | None = None
    share: float | None = None


def stages(snapshot: Snapshot) -> list[Stage]:
    """Every stage of a run in order. After a failed one nothing is to come but the notification."""
    story = snapshot.story
    found = [_validated(story)]
    if found[-1].state != "done":
        return [*found, *_notified(story)]
    found += [_planned(story), _submitted(story)]
    if snapshot.fetched is not None:
        found.append(_fetched(snapshot.job, snapshot.fetched))
    found.append(_training(story, snapshot.job))
    if story.failure is None:
        found += [_evaluated(story)]
        if story.status != "model-rejected":
            found.append(_registered(story))
    return [*found, *_notified(story)]


def findings_in_words(counts: Counts) -> str:
    """``no findings``, or how many of each severity."""
    pairs = ((counts.errors, "error"), (counts.warnings, "warning"), (counts.notes, "note"))
    return ", ".join(count(number, noun) for number, noun in pairs if number) or "no findings"


def rows_in_words(report: Report) -> str:
    """``700 rows to train on, 150 held out``; of a single file, which validation splits, just its rows."""
    by_role = {file.role: file.rows for file in report.files}
    train, held_out = by_role.get("train"), by_role.get("eval")
    if train is None or held_out is None:
        return count(sum(by_role.values()), "row")
    return f"{count(train, 'row')} to train on, {held_out:,} held out"


def decision_in_words(evaluation: Evaluation) -> str:
    """``exact match 0.92 against 0.58 (base label-scored): approved``."""
    scores = {c.name: c.metrics.get(evaluation.metric) for c in evaluation.contestants}
    tuned = scores.get("tuned")
    words = metric(evaluation.metric)
    if tuned is not None:
        words += f" {tuned.value:.2f}"
    if evaluation.comparison is not None:
        baseline = scores.get(evaluation.comparison.baseline)
        if baseline is not None:
            words += f" against {baseline.value:.2f} ({evaluation.comparison.baseline})"
    return f"{words}: {evaluation.verdict}"


def _took(story: Story, hop: str) -> float | None:
    return next((h.seconds for h in story.hops if h.name == hop), None)


def _validated(story: Story) -> Stage:
    report = story.report
    if report is None:
        return Stage("validated", "doing", "reading the data set")
    seconds = _took(story, "validated")
    if report.status == "waiting":
        return Stage("validated", "failed", f"waits for {', '.join(report.missing) or 'more files'}", seconds)
    if report.status == "superseded":
        return Stage(
            "validated", "failed", "superseded: a file was replaced or deleted; its newer one is another run", seconds
        )
    if report.status == "rejected":
        return Stage("validated", "failed", f"rejected: {findings_in_words(report.counts)}", seconds)
    parts = [rows_in_words(report), report.format or "", findings_in_words(report.counts)]
    return Stage("validated", "done", " · ".join(part for part in parts if part), seconds)


def _planned(story: Story) -> Stage:
    if story.plan is None:
        return Stage("planned", "failed" if story.failure else "doing")
    report, forecast = story.report, story.plan.forecast
    parts = [f"{report.method} on {report.base_model}"] if report else []
    if forecast is not None:
        parts.append(f"{forecast.steps:,} steps of {forecast.batch_size}")
        parts.append(f"{forecast.epochs:g} epochs")
        parts.append(f"about {forecast.training_tokens:,} tokens")
        if forecast.usd is not None:
            parts.append(f"${forecast.usd:,.2f} at list price")
    return Stage("planned", "done", " · ".join(parts), _took(story, "planned"))


def _submitted(story: Story) -> Stage:
    if story.job is not None:
        return Stage("job submitted", "done", short(story.job.name), _took(story, "job submitted"))
    if story.failure is not None:
        return Stage("job submitted", "failed", clean(story.failure.message))
    return Stage("job submitted", "doing" if story.plan else "to come")


def _fetched(job: Job | None, line: Line) -> Stage:
    doing = job is not None and job.progress is not None and job.progress.phase == FETCHING
    text = f"fetched once: {megabytes(line.step)} of {megabytes(line.steps)} MB"
    if doing and line.step == line.steps:
        text = "fetched; converting"
    share = line.step / line.steps if line.steps else None
    return Stage("base model", "doing" if doing else "done", text, share=share if doing else None)


def _training(story: Story, job: Job | None) -> Stage:
    if story.job is None:
        return Stage("training", "to come")
    line = job.progress.last(TRAINING) if job is not None and job.progress is not None else None
    if story.failure is not None:
        return Stage(
            "training", "failed", f"{story.failure.code}: {clean(story.failure.message)}", _took(story, "failed")
        )
    if story.tuned is not None or story.evaluation is not None:
        text = f"{line.steps} steps{_loss(line)}" if line else ""
        return Stage("training", "done", text, _took(story, "tuned"))
    if line is not None and line.steps and job is not None and job.progress is not None:
        return _steps(line, job.progress.phase)
    phase = job.progress.phase.replace("_", " ") if job is not None and job.progress is not None else ""
    state = job.state.rpartition("STATE_")[2].lower() if job is not None else ""
    return Stage("training", "doing", phase or state)


def _steps(line: Line, phase: str) -> Stage:
    parts = [f"step {line.step} of {line.steps}{_loss(line)}"]
    if line.rows_per_second is not None:
        parts.append(f"{line.rows_per_second:.1f} rows/s")
    if phase != TRAINING:
        parts.append(phase.replace("_", " "))
    elif line.seconds_left is not None:
        parts.append(f"{clock(line.seconds_left)} left")
    return Stage("training", "doing", " · ".join(parts), share=line.step / line.steps)


def _loss(line: Line) -> str:
    return "" if line.loss is None else f" · loss {line.loss:.3f}"


def _evaluated(story: Story) -> Stage:
    if story.evaluation is not None:
        verdict: State = "done" if story.evaluation.verdict == "approved" else "failed"
        return Stage("evaluated", verdict, decision_in_words(story.evaluation), _took(story, "evaluated"))
    if story.tuned is None:
        return Stage("evaluated", "to come")
    return Stage("evaluated", "doing", "tuned and base model answer the same held-out rows")


def _registered(story: Story) -> Stage:
    if story.registered is not None:
        aliases = ", ".join(story.registered.aliases)
        model = short(story.model) if story.model else ""
        return Stage("registered", "done", f"{model} as {aliases}", _took(story, "registered"))
    return Stage("registered", "doing" if story.evaluation else "to come")


def _notified(story: Story) -> list[Stage]:
    if story.status in ("waiting", "superseded"):
        return []
    if story.notified:
        return [Stage("notified", "done", "", _took(story, "notified"))]
    return [Stage("notified", "doing" if story.ended else "to come")]
