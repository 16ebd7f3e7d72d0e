"""One readable message for an outcome, sent once to the notifications topic and to every webhook."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

import msgspec

from .errors import NotOurs, Retryable
from .events import (
    DatasetReady,
    DatasetRejected,
    EvaluationFailed,
    Fact,
    Interval,
    ModelApproved,
    ModelRegistered,
    ModelRejected,
    Notification,
    TuningFailed,
    TuningProgressed,
    TuningSucceeded,
    topic_of,
)
from .methods import METHODS
from .methods.catalogue import base_models
from .ports import Announcer, Objects, Publisher
from .runs import Ledger
from .settings import Settings

Outcome = DatasetRejected | TuningProgressed | TuningFailed | EvaluationFailed | ModelRejected | ModelRegistered


@dataclass(frozen=True)
class NotifyPorts:
    """Where messages go, and the ledger that knows which went already."""

    objects: Objects
    publisher: Publisher
    announcer: Announcer
    settings: Settings


def notify(fact: Fact, ports: NotifyPorts) -> Notification:
    """Send the fact's message on every channel that has not had it; NotOurs for facts that are no news to people.

    Each channel is recorded after it took the message, so a repeat sends only what is missing, and a dead webhook
    makes nobody else hear the same news twice. Retryable, after all channels were tried, when one did not take it.
    """
    if not isinstance(fact, Outcome):
        raise NotOurs(f"{topic_of(fact)} is nothing that people are told")
    notification = message(fact, ports.settings)
    ledger = Ledger(ports.objects, ports.settings.runs_bucket)
    key = _key(fact)
    failures: list[str] = []
    for suffix, send in _channels(ports):
        name = f"{key}{suffix}.json"
        if ledger.read(fact.run_id, name) is not None:
            continue
        try:
            send(notification)
        except Retryable as error:
            failures.append(str(error))
            continue
        ledger.write(fact.run_id, name, msgspec.json.format(msgspec.json.encode(notification), indent=2))
    if failures:
        raise Retryable("; ".join(failures))
    return notification


def message(fact: Outcome, settings: Settings) -> Notification:
    """What a person reads about an outcome. Holds no row of the data set."""
    match fact:
        case DatasetRejected():
            return _dataset_rejected(fact)
        case TuningProgressed():
            return _tuning_progressed(fact)
        case TuningFailed():
            return _tuning_failed(fact, settings)
        case EvaluationFailed():
            return _evaluation_failed(fact, settings)
        case ModelRejected():
            return _model_rejected(fact, settings)
        case ModelRegistered():
            return _model_registered(fact, settings)
        case _:
            assert_never(fact)


def _channels(ports: NotifyPorts) -> Iterator[tuple[str, Callable[[Notification], None]]]:
    """(ledger suffix, how to send) of each channel; a webhook's address may hold a secret, so its digest names it."""
    yield "", ports.publisher.announce
    for url in ports.settings.webhooks:

        def post(notification: Notification, url: str = url) -> None:
            ports.announcer.post(url, notification)

        yield f"-webhook-{hashlib.sha256(url.encode()).hexdigest()[:8]}", post


def _key(fact: Outcome) -> str:
    """Names the news: a run has one outcome of each type, but several jobs in several states."""
    key = f"notified-{topic_of(fact)}"
    if isinstance(fact, TuningProgressed):
        return f"{key}-{fact.job.rpartition('/')[2]}-{fact.state}"
    return key


MAX_REASONS = 3


def _dataset_rejected(fact: DatasetRejected) -> Notification:
    errors = [finding for finding in fact.findings if finding.severity == "error"]
    shown = [
        f"{finding.file or fact.dataset}{f':{finding.line}' if finding.line else ''}: {finding.code}: "
        f"{finding.message} {finding.fix}"
        for finding in errors[:MAX_REASONS]
    ]
    if fact.errors > len(shown):
        shown.append(f"and {fact.errors - len(shown)} more in {fact.report_uri}")
    file = next((finding.file for finding in errors if finding.file), f"{fact.dataset}.jsonl")
    return Notification(
        run_id=fact.run_id,
        what=f"data set {fact.dataset}",
        verdict=f"rejected: {_count(fact.errors, 'error')}, {_count(fact.warnings, 'warning')}",
        why="\n".join(shown),
        cost_and_time="nothing was started, nothing is charged",
        next_command=f"droptune check {file}",
    )


STATE_WORDS: Mapping[str, str] = {
    "QUEUED": "is queued",
    "PENDING": "is being prepared",
    "RUNNING": "is running",
    "SUCCEEDED": "has finished",
    "FAILED": "has failed",
    "CANCELLING": "is being cancelled",
    "CANCELLED": "was cancelled",
    "PAUSED": "is paused",
    "EXPIRED": "has expired",
    "PARTIALLY_SUCCEEDED": "has finished in part",
}


def _tuning_progressed(fact: TuningProgressed) -> Notification:
    state = fact.state.rpartition("STATE_")[2]
    return Notification(
        run_id=fact.run_id,
        what=f"{fact.method} on data set {fact.dataset}",
        verdict=f"tuning {STATE_WORDS.get(state, f'is in state {fact.state}')}",
        why=f"{fact.job} is now {fact.state}",
        cost_and_time="known when it ends; the plan holds the forecast",
        next_command=f"droptune watch {fact.run_id}",
    )


def _tuning_failed(fact: TuningFailed, settings: Settings) -> Notification:
    job = f" ({fact.failure.job})" if fact.failure.job else ""
    return Notification(
        run_id=fact.run_id,
        what=_tuning(fact.dataset_ready),
        verdict="failed: there is no model",
        why=f"{fact.failure.code}: {fact.failure.message}{job}",
        cost_and_time=f"what ran until then; the whole was forecast at {_forecast(fact.dataset_ready, settings)}",
        next_command=f"droptune show {fact.run_id}",
    )


def _evaluation_failed(fact: EvaluationFailed, settings: Settings) -> Notification:
    tuned = fact.tuning_succeeded
    return Notification(
        run_id=fact.run_id,
        what=f"{tuned.model}, {_tuning(tuned.dataset_ready)}",
        verdict="failed: the tuned model could not be evaluated, and is not registered",
        why=f"{fact.failure.code}: {fact.failure.message}",
        cost_and_time=_cost_and_time(tuned, settings),
        next_command=f"droptune show {fact.run_id}",
    )


def _model_rejected(fact: ModelRejected, settings: Settings) -> Notification:
    tuned = fact.tuning_succeeded
    return Notification(
        run_id=fact.run_id,
        what=f"{tuned.model}, {_tuning(tuned.dataset_ready)}",
        verdict="rejected: the tuned model did not earn its place",
        why=f"{fact.reason} ({_intervals(fact)}); details in {fact.evaluation_uri}",
        cost_and_time=_cost_and_time(tuned, settings),
        next_command=f"droptune show {fact.run_id}",
    )


def _model_registered(fact: ModelRegistered, settings: Settings) -> Notification:
    approved = fact.model_approved
    tuned = approved.tuning_succeeded
    replaced = f", in place of {fact.replaced}" if fact.replaced else ""
    return Notification(
        run_id=fact.run_id,
        what=f"{tuned.model} at {approved.endpoint}, {_tuning(tuned.dataset_ready)}",
        verdict=f"registered as {' and '.join(fact.aliases)}{replaced}",
        why=f"{approved.reason} ({_intervals(approved)}); details in {approved.evaluation_uri}",
        cost_and_time=_cost_and_time(tuned, settings),
        next_command=f'droptune ask {fact.run_id} "text"',
    )


def _tuning(ready: DatasetReady) -> str:
    train = ready.files["train"]
    return (
        f"{ready.base_model} tuned by {ready.method} on {train.uri} "
        f"(generation {train.generation}, {_count(train.rows, 'row')})"
    )


def _intervals(fact: ModelApproved | ModelRejected) -> str:
    def written(interval: Interval) -> str:
        return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"

    return f"{fact.metric}, 95 % intervals: tuned {written(fact.tuned)}, {fact.baseline_name} {written(fact.baseline)}"


def _cost_and_time(tuned: TuningSucceeded, settings: Settings) -> str:
    return f"{_forecast(tuned.dataset_ready, settings)} by forecast, {_duration(tuned.ended - tuned.started)}"


def _forecast(ready: DatasetReady, settings: Settings) -> str:
    """The price of the jobs: planning is pure, so planning again gives the forecast that the run began with."""
    method, base_model = METHODS.get(ready.method), base_models().get(ready.base_model)
    if method is None or base_model is None:
        return f"an unknown price: {ready.base_model} or {ready.method} is not in this version's catalogue"
    forecast = method.build(ready, base_model, settings).forecast
    if forecast.usd is None:
        return f"{_count(forecast.steps, 'step')} of accelerator time"
    return f"{forecast.usd:.2f} USD ({forecast.training_tokens:,} training tokens, prices of {forecast.price_as_of})"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
