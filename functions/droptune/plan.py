"""What to do next for a run: the requests of its next stage, or that it is done. It sends none of them itself."""

from __future__ import annotations

import msgspec

from .errors import Refused
from .events import DatasetReady
from .methods import METHODS
from .methods.base import Forecast, Job, JobRequest, TunedModel
from .methods.catalogue import base_models
from .runs import Ledger
from .settings import Settings

DEADLINE_SECONDS = 48 * 3600  # tuning takes hours, rarely more than a day; past this the job is cancelled and reported


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """How the workflow waits: the delay grows with the job's age, so no job is noticed much over 5 % late."""

    initial_seconds: float = 1.0
    multiplier: float = 1.05
    max_seconds: float = 300.0


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A run and the jobs that finished so far."""

    dataset_ready: DatasetReady
    jobs: tuple[Job, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Either `done` with the tuned model, or the next stage's requests; both never.

    `stage` counts from 1.
    """

    done: bool
    stage: int
    requests: tuple[JobRequest, ...] = ()
    forecast: Forecast | None = None
    poll: Poll = Poll()
    deadline_seconds: int = DEADLINE_SECONDS
    tuned_model: TunedModel | None = None


def plan(question: Question, settings: Settings) -> Answer:
    """The next stage of a run. Refused when the run names a method or base model that is not known here."""
    ready = question.dataset_ready
    method = METHODS.get(ready.method)
    base_model = base_models().get(ready.base_model)
    if method is None or base_model is None:
        raise Refused(
            f"run {ready.run_id} names method {ready.method!r} and base model {ready.base_model!r}; not known"
        )
    if question.jobs:
        return Answer(done=True, stage=1, tuned_model=method.outcome(question.jobs[-1].job))
    planned = method.build(ready, base_model, settings)
    return Answer(done=False, stage=1, requests=planned.requests, forecast=planned.forecast)


def answer_json(body: bytes, settings: Settings, ledger: Ledger) -> bytes:
    """The answer to a question, both as JSON; a stage is written to the ledger before it is told.

    msgspec.ValidationError, naming the place, when `body` is no question.
    """
    question = msgspec.json.decode(body, type=Question)
    answer = plan(question, settings)
    encoded = msgspec.json.encode(answer)
    if not answer.done:
        name = "plan.json" if answer.stage == 1 else f"plan-{answer.stage}.json"
        ledger.write(question.dataset_ready.run_id, name, encoded)
    return encoded
