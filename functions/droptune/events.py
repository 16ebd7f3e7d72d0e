"""The facts that travel between the hops. Each is published to the topic that `TOPICS` names, as JSON."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .request import Request

Role = Literal["train", "eval", "prompts", "preferences", "corpus", "queries", "labels"]
Severity = Literal["error", "warning", "note"]
Format = Literal[
    "text",
    "text_rationale",
    "prompts",
    "chat",
    "chat_prompts",
    "preference",
    "chat_preference",
    "gemini_messages",
    "gemini_contents",
    "gemini_prompts",
    "gemini_preference",
    "reinforcement",
    "open_chat",
    "open_prompts",
    "open_contents",
    "completion",
    "completion_prompts",
    "ground_truth",
    "embedding_text",
    "embedding_labels",
    "openai_chat",
    "openai_preference",
    "batch_requests",
]


class _Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What all facts share: `run_id` identifies the run, `dataset` is the name under which it was dropped."""

    run_id: str
    dataset: str


class StoredFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One object at one generation, and what was counted in it; `format` where it is not that of the data set."""

    bucket: str
    name: str
    generation: int
    rows: int
    size_bytes: int
    format: Format | None = None

    @property
    def uri(self) -> str:
        return f"gs://{self.bucket}/{self.name}"


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong, or doubtful, in a data set.

    `code` is stable (``TEXT-EMPTY-OUTPUT``), `kind` its coarse class (``empty_value``); `line` is physical and 1-based,
    `offset` the line's first byte, `pointer` an RFC 6901 JSON pointer into the line's value. `file` is the object's
    name. `values` are what the message was made of, so that it can be said in another language. `remedy` is what
    `droptune fix` does about it, where that is not as its rule says: correct it, set the row aside, or nothing.
    """

    code: str
    kind: str = ""
    severity: Severity
    message: str
    fix: str
    file: str | None = None
    line: int | None = None
    offset: int | None = None
    pointer: str | None = None
    excerpt: str | None = None
    found: str | None = None
    allowed: str | None = None
    source: str | None = None
    values: dict[str, str | int | float] = {}
    remedy: Literal["correct", "remove", "none"] | None = None


class DatasetReady(_Fact, frozen=True, kw_only=True, tag="dataset-ready"):
    """The data set is usable: the workflow may plan and start its job(s)."""

    files: dict[Role, StoredFile]
    format: Format
    method: str
    base_model: str
    request: Request
    train_characters: int
    warnings: int = 0
    report_uri: str


class DatasetRejected(_Fact, frozen=True, kw_only=True, tag="dataset-rejected"):
    """No job can be right with this data set; `findings` holds the first few, the report all of them."""

    errors: int
    warnings: int
    findings: tuple[Finding, ...]
    report_uri: str


class TuningProgressed(_Fact, frozen=True, kw_only=True, tag="tuning-progressed"):
    """A job entered another state of Vertex AI (``JOB_STATE_…`` or ``PIPELINE_STATE_…``)."""

    method: str
    job: str
    state: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run ended early. `code` is a job state, ``HTTP <status>``, the tag of a workflow error, or an exception."""

    code: str
    message: str
    job: str | None = None


class TuningFailed(_Fact, frozen=True, kw_only=True, tag="tuning-failed"):
    """No model came of the run."""

    dataset_ready: DatasetReady
    failure: Failure


class TuningSucceeded(_Fact, frozen=True, kw_only=True, tag="tuning-succeeded"):
    """All stages are done. `model` is a Vertex AI model version; `endpoint` is None where none was deployed yet.

    Times are seconds since the epoch: the claim of the run, and the end of its last job.
    """

    dataset_ready: DatasetReady
    job: str
    model: str
    endpoint: str | None = None
    started: float
    ended: float


class EvaluationFailed(_Fact, frozen=True, kw_only=True, tag="evaluation-failed"):
    """A tuned model exists, and nothing can be said of it: its data are gone, or no baseline can be asked."""

    tuning_succeeded: TuningSucceeded
    failure: Failure


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A share in 0..1 with its 95 % interval, measured on `rows` rows."""

    value: float
    low: float
    high: float
    rows: int


class ModelApproved(_Fact, frozen=True, kw_only=True, tag="model-approved"):
    """The tuned model is significantly better than the best that its base model does on the same held-out rows."""

    tuning_succeeded: TuningSucceeded
    endpoint: str
    metric: str
    tuned: Interval
    baseline: Interval
    baseline_name: str
    reason: str
    evaluation_uri: str


class ModelRejected(_Fact, frozen=True, kw_only=True, tag="model-rejected"):
    """The tuned model did not earn its place; same fields as `ModelApproved`."""

    tuning_succeeded: TuningSucceeded
    endpoint: str
    metric: str
    tuned: Interval
    baseline: Interval
    baseline_name: str
    reason: str
    evaluation_uri: str


class ModelRegistered(_Fact, frozen=True, kw_only=True, tag="model-registered"):
    """The model's evaluation, labels and aliases are in Model Registry.

    `replaced` is the model version that was champion before, for going back; None when there was none.
    """

    model_approved: ModelApproved
    aliases: tuple[str, ...]
    replaced: str | None


Fact = (
    DatasetReady
    | DatasetRejected
    | TuningProgressed
    | TuningFailed
    | TuningSucceeded
    | EvaluationFailed
    | ModelApproved
    | ModelRejected
    | ModelRegistered
)


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One readable message, the same five facts in the same order, for people and for webhooks."""

    run_id: str
    what: str
    verdict: str
    why: str
    cost_and_time: str
    next_command: str


NOTIFICATIONS_TOPIC = "notifications"


def topic_of(fact: Fact) -> str:
    """The topic that carries a fact; also its CloudEvents type."""
    return str(type(fact).__struct_config__.tag)


def encode(value: Fact | Notification) -> bytes:
    """A fact as the JSON that is published; its ``type`` field is the topic's name."""
    return msgspec.json.encode(value)


def decode(data: bytes | str) -> Fact:
    """The fact in a message. ValueError (msgspec.ValidationError) naming the place when it is none."""
    fact: Fact = msgspec.json.decode(data, type=Fact)
    return fact


def to_builtins(value: Any) -> Any:
    """Plain JSON types of any struct of this module, for reports and ledger objects."""
    return msgspec.to_builtins(value)
