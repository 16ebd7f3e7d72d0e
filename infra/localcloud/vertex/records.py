"""What the local Vertex AI remembers: jobs, models, endpoints, evaluations. Frozen; `store` keeps them as JSON."""

from __future__ import annotations

import enum
from typing import Any, Literal

import msgspec


class State(enum.Enum):
    """A job's state; PipelineState and JobState put their own prefix before it."""

    QUEUED = "QUEUED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


class Phase(enum.Enum):
    """What a running job is at; the value is the service's TuningJobState without its prefix."""

    PROCESSING_DATASET = "PROCESSING_DATASET"
    TUNING = "TUNING"
    POST_PROCESSING = "POST_PROCESSING"


class TuningPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks to be tuned, in one form for both APIs.

    Exactly one of `steps` and `epochs` is set; epochs become steps once the rows are counted. `metrics_folder` is the
    gs:// folder that gets metrics.jsonl. `labels` go onto the model and its endpoint.
    """

    base_model: str
    train_uri: str
    eval_uri: str | None
    steps: int | None
    epochs: int | None
    batch_size: int
    learning_rate_multiplier: float
    adapter_size: int
    eval_interval: int
    early_stopping: bool
    display_name: str
    description: str
    labels: dict[str, str]
    project: str
    location: str
    metrics_folder: str


class JobError(msgspec.Struct, frozen=True):
    """A google.rpc.Status: `code` is a google.rpc.Code number, not an HTTP status."""

    code: int
    message: str


class LocalBase(msgspec.Struct, frozen=True):
    """The base model that was really tuned."""

    name: str


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's result.json. `adapter` is a folder relative to the job's; tokens are of one pass over the rows."""

    adapter: str
    steps: int
    train_rows: int
    train_tokens: int
    truncated_rows: int
    final_metrics: dict[str, float]
    seconds: float
    device: str
    base_model: LocalBase


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A pipelineJob or tuningJob. `body` is the request as sent; `uid` names the job's folder and what it makes."""

    name: str
    uid: str
    kind: Literal["pipelineJobs", "tuningJobs"]
    body: dict[str, Any]
    plan: TuningPlan
    state: State
    create_time: float
    update_time: float
    phase: Phase | None = None
    start_time: float | None = None
    end_time: float | None = None
    error: JobError | None = None
    worker_deaths: int = 0
    train_rows: int | None = None
    steps: int | None = None
    trained: Trained | None = None
    model: str | None = None
    endpoint: str | None = None


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a model. `model` is the name without version; `adapter` is relative to the data folder."""

    model: str
    version: str
    display_name: str
    description: str
    labels: dict[str, str]
    aliases: tuple[str, ...]
    create_time: float
    update_time: float
    adapter: str
    base_model: str
    local_base: str

    @property
    def name(self) -> str:
        return f"{self.model}@{self.version}"


class DeployedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model version served by an endpoint; `model` is the name without version."""

    id: str
    model: str
    version: str
    display_name: str
    create_time: float


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint; it serves at most one model version here."""

    name: str
    display_name: str
    description: str
    labels: dict[str, str]
    create_time: float
    update_time: float
    deployed: DeployedModel | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """An imported evaluation of a model version; `metrics` and `metadata` are JSON as sent."""

    name: str
    display_name: str
    schema_uri: str
    metrics: Any
    metadata: Any
    create_time: float


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A finished long-running operation, as JSON: nothing here takes long enough for an unfinished one."""

    name: str
    body: dict[str, Any]
