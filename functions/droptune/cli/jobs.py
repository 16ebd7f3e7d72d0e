"""How far a tuning job is: its state from Vertex AI, and step by step where the endpoint tells."""

from __future__ import annotations

from typing import Protocol

import msgspec
import requests

from .ledger import SubmittedJob

TIMEOUT_SECONDS = 10
FETCHING = "fetching_base_model"
TRAINING = "training"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a job's progress. While the base model is fetched, steps are bytes."""

    step: int = 0
    steps: int = 0
    rows_per_second: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    metrics: dict[str, float] = {}
    phase: str | None = None

    @property
    def loss(self) -> float | None:
        return self.metrics.get("/train_total_loss")


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What a job is doing; `lines` are its latest ones, oldest first."""

    phase: str = ""
    lines: tuple[Line, ...] = ()

    def last(self, phase: str) -> Line | None:
        """The newest line of a phase."""
        return next((line for line in reversed(self.lines) if (line.phase or self.phase) == phase), None)


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """The google.rpc.Status of a failed job."""

    message: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The job resource as far as it is shown, with its progress where that is known."""

    name: str
    state: str = ""
    error: JobError | None = None
    progress: Progress | None = None


class Jobs(Protocol):
    """Whoever knows how jobs are doing."""

    def look(self, job: SubmittedJob) -> Job | None:
        """The job as it is now; None when that cannot be learned just now."""
        ...


class VertexJobs:
    """Jobs over REST. `local` is the address of the local Vertex AI, which also tells steps; None elsewhere."""

    def __init__(self, session: requests.Session, local: str | None) -> None:
        self._session = session
        self._local = local

    def look(self, job: SubmittedJob) -> Job | None:
        """The job as it is now; None when the endpoint does not answer, which the next look may mend."""
        found = self._get(f"{job.url}?fields=name,state,error")
        if found is None:
            return None
        resource = msgspec.json.decode(found, type=Job)
        if self._local is None:
            return resource
        progress = self._get(f"{self._local}/local/v1/{job.name}/progress")
        if progress is None:
            return resource
        return msgspec.structs.replace(resource, progress=msgspec.json.decode(progress, type=Progress))

    def _get(self, url: str) -> bytes | None:
        try:
            reply = self._session.get(url, timeout=TIMEOUT_SECONDS)
        except requests.RequestException:
            return None
        return reply.content if reply.ok else None
