"""Entry points of the Cloud Run functions, one per hop: a fact in, a fact out.

`infra/pipeline.yaml` says which event each receives; the rules live in `droptune`.
"""

from __future__ import annotations

import functions_framework
from cloudevents.http import CloudEvent

from droptune.app import app
from droptune.entry import answers, publishes
from droptune.envelopes import dropped_object, published_fact
from droptune.evaluate import evaluate as evaluate_model
from droptune.events import Fact, ModelApproved, TuningSucceeded
from droptune.notify import Outcome
from droptune.notify import notify as notify_people
from droptune.plan import answer_json
from droptune.register import register as register_model
from droptune.validate import validate as validate_object


@functions_framework.cloud_event
@publishes
def validate(event: CloudEvent) -> Fact | None:
    """A dropped object: its data set is ready, or rejected, or waits for another file."""
    return validate_object(dropped_object(event["type"], event.data), app().validating)


@functions_framework.http
@answers
def plan(body: bytes) -> bytes:
    """A run and its finished jobs: what to send next, or that it is done."""
    return answer_json(body, app().settings, app().ledger)


@functions_framework.cloud_event
@publishes
def evaluate(event: CloudEvent) -> Fact | None:
    """A tuned model: approved or rejected."""
    return evaluate_model(published_fact(event["type"], event.data, TuningSucceeded), app().evaluating)


@functions_framework.cloud_event
@publishes
def register(event: CloudEvent) -> Fact | None:
    """An approved model: registered."""
    return register_model(published_fact(event["type"], event.data, ModelApproved), app().registering)


@functions_framework.cloud_event
@publishes
def notify(event: CloudEvent) -> None:
    """Any outcome: one message to people."""
    notify_people(published_fact(event["type"], event.data, Outcome), app().notifying)
