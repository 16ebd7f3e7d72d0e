"""A run's story from its ledger: which objects exist says how far it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..events import Failure, Interval
from .ledger import Entry, Evaluation, Failed, Plan, Registered, Report, SubmittedJob, Tuned, read

Status = Literal[
    "validating",
    "rejected",
    "waiting",
    "superseded",
    "validated",
    "claimed",
    "planned",
    "tuning",
    "failed",
    "evaluating",
    "model-rejected",
    "registering",
    "registered",
]
# Nothing happens any more without somebody's doing.
ENDED: frozenset[Status] = frozenset({"rejected", "waiting", "superseded", "failed", "model-rejected", "registered"})
# The notifications that each ending may send; a data set that waits, or was replaced, sends none.
NOTIFICATIONS_OF: Mapping[Status, tuple[str, ...]] = {
    "rejected": ("notified-dataset-rejected.json",),
    "failed": ("notified-tuning-failed.json", "notified-evaluation-failed.json"),
    "model-rejected": ("notified-model-rejected.json",),
    "registered": ("notified-model-registered.json",),
}
# Ledger object -> the hop that wrote it, in the order of the story.
HOPS: Mapping[str, str] = {
    "report.json": "validated",
    "claim.json": "claimed",
    "plan.json": "planned",
    "job-1.json": "job submitted",
    "failed.json": "failed",
    "tuned.json": "tuned",
    "evaluation.json": "evaluated",
    "registered.json": "registered",
}
_JOB = re.compile(r"job-(\d+)\.json")


@dataclass(frozen=True)
class Hop:
    """One step of the timeline: when it was done, and seconds since the one before (None for the first)."""

    name: str
    at: float
    seconds: float | None


@dataclass(frozen=True)
class Story:
    """Everything that the ledger tells of one run; what has not happened is None."""

    run_id: str
    status: Status
    hops: tuple[Hop, ...]
    began: float | None
    report: Report | None = None
    plan: Plan | None = None
    job: SubmittedJob | None = None
    failure: Failure | None = None
    tuned: Tuned | None = None
    evaluation: Evaluation | None = None
    registered: Registered | None = None
    notified: bool = False

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def settled(self) -> bool:
        """Ended, and told so: nothing will be added to the folder."""
        return self.ended and (self.notified or self.status not in NOTIFICATIONS_OF)

    @property
    def model(self) -> str | None:
        """The tuned model's resource name."""
        return self.tuned.model if self.tuned else self.evaluation.model if self.evaluation else None

    @property
    def stand_in(self) -> str | None:
        """The model that the local cloud tuned in place of the base model asked for, as its label says."""
        return self.evaluation.model_labels.get("local-base-model") if self.evaluation else None

    @property
    def endpoint(self) -> str | None:
        """The endpoint that serves the tuned model, once one does."""
        return (self.evaluation.endpoint if self.evaluation else None) or (self.tuned.endpoint if self.tuned else None)

    @property
    def tuned_score(self) -> Interval | None:
        """The tuned model's value of the metric that decided."""
        if self.evaluation is None:
            return None
        return next(
            (c.metrics.get(self.evaluation.metric) for c in self.evaluation.contestants if c.name == "tuned"), None
        )


def tell(run_id: str, entries: Mapping[str, Entry], dropped: float | None = None) -> Story:
    """The story that a run's folder tells. `dropped` is when the last file of its data set was written, if known."""
    report = read(entries, "report.json", Report)
    failed = read(entries, "failed.json", Failed)
    evaluation = read(entries, "evaluation.json", Evaluation)
    status = status_of(report, evaluation, frozenset(entries))
    ending = next((name for name in NOTIFICATIONS_OF.get(status, ()) if name in entries), None)
    hops = _timeline(entries, dropped, ending)
    return Story(
        run_id=run_id,
        status=status,
        hops=hops,
        began=hops[0].at if hops else min((entry.created for entry in entries.values()), default=None),
        report=report,
        plan=read(entries, "plan.json", Plan),
        job=read(entries, _last_job(entries), SubmittedJob),
        failure=failed.failure if failed else None,
        tuned=read(entries, "tuned.json", Tuned),
        evaluation=evaluation,
        registered=read(entries, "registered.json", Registered),
        notified=ending is not None,
    )


def status_of(report: Report | None, evaluation: Evaluation | None, names: frozenset[str]) -> Status:
    """How far a run is: the furthest object decides, endings first."""
    if report is None:
        return "validating"
    if report.status != "ready":
        return report.status
    if "failed.json" in names:
        return "failed"
    if "registered.json" in names:
        return "registered"
    if evaluation is not None:
        return "registering" if evaluation.verdict == "approved" else "model-rejected"
    if "tuned.json" in names:
        return "evaluating"
    if _last_job({name: None for name in names}) in names:
        return "tuning"
    if "plan.json" in names:
        return "planned"
    return "claimed" if "claim.json" in names else "validated"


def without_superseded(stories: Iterable[Story]) -> list[Story]:
    """The stories, but for those whose data set went on without them.

    Every file of a folder leaves a waiting run as it arrives, and every file that is replaced a superseded one.
    """
    found = list(stories)
    latest: dict[str, float] = {}
    for story in found:
        if story.report is not None and story.began is not None:
            latest[story.report.dataset] = max(latest.get(story.report.dataset, 0.0), story.began)
    return [
        story
        for story in found
        if story.status not in ("waiting", "superseded")
        or story.report is None
        or story.began is None
        or story.began >= latest[story.report.dataset]
    ]


def next_command(story: Story) -> str:
    """What a person would do now."""
    match story.status:
        case "rejected":
            return "droptune check PATH, and when it finds nothing: droptune drop PATH --watch"
        case "waiting":
            missing = ", ".join(story.report.missing) if story.report else "the missing files"
            return f"droptune drop FOLDER, with {missing or 'the missing files'} in it"
        case "superseded":
            return "droptune runs, for the run of the newer file; or drop it again: droptune drop PATH --watch"
        case "failed":
            return f"droptune logs {story.run_id}"
        case "registered" | "model-rejected":
            return f'droptune ask {story.run_id} "some text"'
        case _:
            return f"droptune watch {story.run_id}"


def _last_job(entries: Mapping[str, object]) -> str:
    numbers = [int(match.group(1)) for name in entries if (match := _JOB.fullmatch(name))]
    return f"job-{max(numbers, default=1)}.json"


def _timeline(entries: Mapping[str, Entry], dropped: float | None, ending: str | None) -> tuple[Hop, ...]:
    moments = [("dropped", dropped)] if dropped is not None else []
    moments += [(hop, entries[name].created) for name, hop in HOPS.items() if name in entries]
    if ending is not None:
        moments.append(("notified", entries[ending].created))
    hops: list[Hop] = []
    before: float | None = None
    for name, at in moments:
        hops.append(Hop(name, at, None if before is None else max(0.0, at - before)))
        before = at
    return tuple(hops)
