"""projects.locations.tuningJobs over REST: create, get, list, cancel."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ..clock import Clock
from ..http import GoogleError, read_json
from .jobs import JobQueue, metrics_uri
from .listing import page
from .progress import completed_steps
from .records import Job, State
from .routing import PARENT_PATH, parent_of, present, resource_name, route
from .timestamps import rfc3339
from .tuning_specs import parse_tuning_job

KIND = "tuningJobs"
_ECHOED = (
    "baseModel", "supervisedTuningSpec", "tunedModelDisplayName", "description", "labels", "encryptionSpec",
    "serviceAccount",
)  # fmt: skip


class TuningJobsApi:
    """Supervised tuning of Gemini models."""

    def __init__(self, queue: JobQueue, clock: Clock, metrics_bucket: str) -> None:
        self._queue = queue
        self._clock = clock
        self._metrics_bucket = metrics_bucket

    def routes(self) -> list[Route]:
        collection = f"{PARENT_PATH}/{KIND}"
        return [
            route("POST", f"{collection}/{{id}}:cancel", self._cancel),
            route("POST", f"{collection}:rebaseTunedModel", self._refuse_rebase),
            route("POST", collection, self._create),
            route("GET", collection, self._list),
            route("GET", f"{collection}/{{id}}", self._get),
        ]

    async def _create(self, request: Request) -> Mapping[str, Any]:
        body = await read_json(request)
        parent = parent_of(request)
        now = self._clock.now()
        identity = str(10**18 + random.getrandbits(60))
        plan = parse_tuning_job(body, parent, identity, self._metrics_bucket)
        job = Job(
            name=parent.resource(KIND, identity),
            uid=identity,
            kind="tuningJobs",
            body=body,
            plan=plan,
            state=State.QUEUED,
            create_time=now,
            update_time=now,
        )
        return self._render(self._queue.create(job))

    async def _get(self, request: Request) -> Mapping[str, Any]:
        return self._render(self._queue.get(resource_name(request, KIND)))

    async def _list(self, request: Request) -> Mapping[str, Any]:
        jobs = self._queue.list(parent_of(request).collection(KIND))
        return page([self._render(job) for job in jobs], KIND, request.query_params)

    async def _cancel(self, request: Request) -> Mapping[str, Any]:
        self._queue.cancel(resource_name(request, KIND))
        return {}

    async def _refuse_rebase(self, request: Request) -> Mapping[str, Any]:
        raise GoogleError("UNIMPLEMENTED", "tuningJobs:rebaseTunedModel is not implemented; create a new tuning job")

    def _render(self, job: Job) -> dict[str, Any]:
        """The TuningJob resource; 64-bit numbers are strings."""
        tuned = None
        if job.model is not None:
            tuned = {"model": job.model, "endpoint": job.endpoint}
        running = job.state is State.RUNNING and job.phase is not None
        return present(
            {
                "name": job.name,
                "state": f"JOB_STATE_{job.state.value}",
                "tuningJobState": f"TUNING_JOB_STATE_{job.phase.value}" if running and job.phase else None,
                "createTime": rfc3339(job.create_time),
                "updateTime": rfc3339(job.update_time),
                "startTime": None if job.start_time is None else rfc3339(job.start_time),
                "endTime": None if job.end_time is None else rfc3339(job.end_time),
                "error": None if job.error is None else {"code": job.error.code, "message": job.error.message},
                "tunedModel": tuned,
                "tuningDataStats": _data_stats(job),
                "tuningJobMetadata": self._metadata(job),
                "gcsMetricsUri": None if job.model is None else metrics_uri(job),
                **{key: _as_sent(job.body.get(key)) for key in _ECHOED},
            }
        )

    def _metadata(self, job: Job) -> dict[str, str] | None:
        if job.train_rows is None:
            return None
        steps = completed_steps(self._queue.folder(job)) if job.trained is None else job.trained.steps
        epochs = steps * job.plan.batch_size // job.train_rows
        return {"completedStepCount": str(steps), "completedEpochCount": str(min(epochs, job.plan.epochs or epochs))}


def _data_stats(job: Job) -> dict[str, Any] | None:
    if job.train_rows is None:
        return None
    stats = {"tuningDatasetExampleCount": str(job.train_rows), "tuningStepCount": str(job.steps)}
    if job.trained is not None:
        epochs = job.plan.epochs or 1
        stats["totalBillableTokenCount"] = str(job.trained.train_tokens * epochs)
        if job.trained.truncated_rows:
            stats["totalTruncatedExampleCount"] = str(job.trained.truncated_rows)
    return {"supervisedTuningDataStats": stats}


def _as_sent(value: Any) -> Any:
    """The request's own field, with epochCount as the string that a 64-bit number is in JSON; null is left out."""
    if not isinstance(value, Mapping):
        return value
    sent = {key: _as_sent(child) for key, child in value.items() if child is not None}
    if "epochCount" in sent:
        sent["epochCount"] = str(int(float(sent["epochCount"])))
    return sent
