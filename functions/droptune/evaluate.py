"""The verdict on a tuned model: approved when it beats the best of its base model on the same held-out rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import ObjectGone, Refused, Retryable
from .evaluation import report as reports
from .evaluation.contest import Entry, Match, base_entries, output_tokens, p_value, tuned_entry
from .evaluation.examples import held_out, profile, read_examples
from .evaluation.metrics import tokenization
from .evaluation.report import TUNED, Comparison, Miss, Report
from .evaluation.verdict import decide
from .events import (
    DatasetReady,
    EvaluationFailed,
    Failure,
    ModelApproved,
    ModelRejected,
    TuningSucceeded,
    encode,
)
from .ports import Objects, Predictor, Registry
from .runs import Ledger
from .settings import Settings

MAX_HELD_OUT_ROWS = 250
MAX_MISSES = 50
FAILED_FILE = "failed.json"


@dataclass(frozen=True)
class EvaluatePorts:
    """`predictor` gives the one for a run's base model and region; `clock` counts seconds from any origin."""

    objects: Objects
    predictor: Callable[[DatasetReady], Predictor]
    registry: Registry
    settings: Settings
    clock: Callable[[], float] = time.monotonic
    max_rows: int = MAX_HELD_OUT_ROWS


def evaluate(fact: TuningSucceeded, ports: EvaluatePorts) -> ModelApproved | ModelRejected | EvaluationFailed:
    """Measure once, write evaluation.json, and say what it says; where it lies already, only say it again.

    What no repetition can change ends the run as failed, with its reason; Retryable for what may pass.
    """
    ledger = Ledger(ports.objects, ports.settings.runs_bucket)
    recorded = ledger.read(fact.run_id, reports.FILE)
    if recorded is None:
        try:
            data = reports.encode(_measure(fact, ports))
        except (Refused, ObjectGone) as error:
            return _failed(fact, error, ledger)
        # Whoever is second in a race reports what the first wrote, so that there is one verdict.
        recorded = data if ledger.write(fact.run_id, reports.FILE, data) else ledger.read(fact.run_id, reports.FILE)
        assert recorded is not None, "an object that exists can be read"
    return _fact(fact, reports.decode(recorded), ledger.uri(fact.run_id, reports.FILE))


def _failed(fact: TuningSucceeded, error: Refused | ObjectGone, ledger: Ledger) -> EvaluationFailed:
    failure = Failure(code=type(error).__name__, message=str(error), job=fact.job)
    failed = EvaluationFailed(run_id=fact.run_id, dataset=fact.dataset, tuning_succeeded=fact, failure=failure)
    ledger.write(fact.run_id, FAILED_FILE, encode(failed))
    return failed


def _measure(fact: TuningSucceeded, ports: EvaluatePorts) -> Report:
    ready = fact.dataset_ready
    held_out_file = ready.files["eval"]
    training = profile(read_examples(ports.objects, ready.files["train"], ready.format))
    rows = held_out(ports.objects, held_out_file, held_out_file.format or ready.format, ports.max_rows)
    if not rows:
        raise Refused(f"{held_out_file.uri} holds no rows to evaluate on")
    endpoint = fact.endpoint or _endpoint(fact.model, ports.registry)
    predictor = ports.predictor(ready)
    limit = output_tokens(predictor, ready.base_model, training)
    match = Match(predictor, ready.format, training, rows, ports.clock, limit)
    metric = match.primary_metric

    tuned = tuned_entry(match, endpoint)
    base = base_entries(match, ready.base_model)
    best = max(base, key=lambda entry: entry.value)
    if best.contestant.refused:
        raise Refused(f"no baseline: {ready.base_model} cannot be asked in any way: {best.contestant.refused}")
    test, p = p_value(metric, tuned.scores, best.scores)
    decision = decide(metric, tuned.value, best.value, best.contestant.name.removeprefix("base "), p, len(rows))
    return Report(
        run_id=fact.run_id,
        task=training.task,
        metric=metric,
        rows=len(rows),
        held_out_rows=held_out_file.rows,
        sampled=len(rows) < held_out_file.rows,
        held_out_uri=held_out_file.uri,
        held_out_generation=held_out_file.generation,
        labels=len(training.labels),
        tokenization=tokenization([row.expected for row in rows]) if training.task == "generation" else None,
        contestants=tuple(entry.contestant for entry in (tuned, *base)),
        comparison=Comparison(baseline=best.contestant.name, test=test, p_value=p, difference=tuned.value - best.value),
        verdict=decision.verdict,
        reason=decision.reason,
        misses=_misses([row.line for row in rows], tuned, best),
        model=fact.model,
        model_labels=_labels(fact.model, ports.registry),
        endpoint=endpoint,
    )


def _labels(model: str, registry: Registry) -> dict[str, str]:
    """The model's labels, which also say what the local cloud really tuned; told, never needed."""
    try:
        return dict(registry.get(model).labels)
    except Refused:
        return {}


def _endpoint(model: str, registry: Registry) -> str:
    """Where the model is deployed, for jobs that report the model alone."""
    endpoints = registry.get(model).endpoints
    if not endpoints:
        raise Retryable(f"{model} is deployed to no endpoint yet; if it stays so, deploy it and replay the event")
    return endpoints[0]


def _misses(lines: list[int], tuned: Entry, best: Entry) -> tuple[Miss, ...]:
    """The rows that the tuned model did worst on, worst first."""
    missed = [
        Miss(line=line, score=round(score, 4), baseline_score=round(baseline_score, 4))
        for line, score, baseline_score in zip(lines, tuned.scores, best.scores, strict=True)
        if score < 1
    ]
    return tuple(sorted(missed, key=lambda miss: (miss.score, miss.line))[:MAX_MISSES])


def _fact(fact: TuningSucceeded, report: Report, uri: str) -> ModelApproved | ModelRejected:
    outcome = ModelApproved if report.verdict == "approved" else ModelRejected
    baseline = report.contestant(report.comparison.baseline)
    return outcome(
        run_id=fact.run_id,
        dataset=fact.dataset,
        tuning_succeeded=fact,
        endpoint=report.endpoint,
        metric=report.metric,
        tuned=report.contestant(TUNED).metrics[report.metric],
        baseline=baseline.metrics[report.metric],
        baseline_name=baseline.name,
        reason=report.reason,
        evaluation_uri=uri,
    )
