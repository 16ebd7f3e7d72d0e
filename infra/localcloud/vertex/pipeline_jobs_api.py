"""projects.locations.pipelineJobs over REST: create, get, list, cancel, delete."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ..clock import Clock
from ..http import read_json
from .jobs import JobQueue
from .listing import page
from .names import numeric_id
from .operations import Operations
from .pipeline_specs import check_job_id, parse_pipeline_job
from .records import TERMINAL, Job, State
from .routing import PARENT_PATH, parent_of, present, resource_name, route
from .timestamps import rfc3339

KIND = "pipelineJobs"
TUNER_TASK = "large-language-model-tuner"
UPLOAD_TASK = "upload-llm-model"
CONTAINER = "system.ContainerExecution"
_ECHOED = ("displayName", "labels", "runtimeConfig", "encryptionSpec", "serviceAccount", "templateUri")


class PipelineJobsApi:
    """Pipelines of Google's tuning templates."""

    def __init__(self, queue: JobQueue, operations: Operations, clock: Clock) -> None:
        self._queue = queue
        self._operations = operations
        self._clock = clock

    def routes(self) -> list[Route]:
        collection = f"{PARENT_PATH}/{KIND}"
        return [
            route("POST", f"{collection}/{{id}}:cancel", self._cancel),
            route("POST", collection, self._create),
            route("GET", collection, self._list),
            route("GET", f"{collection}/{{id}}", self._get),
            route("DELETE", f"{collection}/{{id}}", self._delete),
        ]

    async def _create(self, request: Request) -> Mapping[str, Any]:
        body = await read_json(request)
        parent = parent_of(request)
        now = self._clock.now()
        identity = request.query_params.get("pipelineJobId") or f"pipeline-{random.getrandbits(60)}"
        check_job_id(identity)
        plan = parse_pipeline_job(body, parent, identity)
        name = parent.resource(KIND, identity)
        # An id may be used again once its job is deleted, hence a uid that also depends on the time.
        job = Job(
            name=name,
            uid=numeric_id(name, str(now)),
            kind="pipelineJobs",
            body=body,
            plan=plan,
            state=State.QUEUED,
            create_time=now,
            update_time=now,
        )
        return render(self._queue.create(job))

    async def _get(self, request: Request) -> Mapping[str, Any]:
        return render(self._queue.get(resource_name(request, KIND)))

    async def _list(self, request: Request) -> Mapping[str, Any]:
        jobs = self._queue.list(parent_of(request).collection(KIND))
        return page([_summary(job) for job in jobs], KIND, request.query_params)

    async def _cancel(self, request: Request) -> Mapping[str, Any]:
        self._queue.cancel(resource_name(request, KIND))
        return {}

    async def _delete(self, request: Request) -> Mapping[str, Any]:
        name = resource_name(request, KIND)
        self._queue.delete(name)
        return self._operations.done(name, "DeleteOperationMetadata")


def render(job: Job) -> dict[str, Any]:
    """The PipelineJob resource."""
    return present({**_summary(job), "jobDetail": {"taskDetails": _tasks(job)}})


def _summary(job: Job) -> dict[str, Any]:
    """As in lists, which leave jobDetail out."""
    return present(
        {
            "name": job.name,
            "state": f"PIPELINE_STATE_{job.state.value}",
            "createTime": rfc3339(job.create_time),
            "updateTime": rfc3339(job.update_time),
            "startTime": None if job.start_time is None else rfc3339(job.start_time),
            "endTime": None if job.end_time is None else rfc3339(job.end_time),
            "error": None if job.error is None else {"code": job.error.code, "message": job.error.message},
            **{key: job.body.get(key) for key in _ECHOED},
        }
    )


def _tasks(job: Job) -> list[dict[str, Any]]:
    """The root run, the tuner and the upload; none before the job has started. Differs: no other tasks."""
    if job.start_time is None:
        return []
    root = numeric_id(job.uid, "task", "root")
    outputs: dict[str, Any] = {}
    if job.model is not None:
        outputs = {"output:model_resource_name": job.model, "output:endpoint_resource_name": job.endpoint}
    whole = str(job.state.value)
    tuner = "SUCCEEDED" if job.trained is not None else whole
    below = {"parentTaskId": root}
    return [
        _task(job, root, job.name.rpartition("/")[2], whole, "system.Run", outputs),
        {**_task(job, numeric_id(job.uid, "task", TUNER_TASK), TUNER_TASK, tuner, CONTAINER, {}), **below},
        {
            **_task(job, numeric_id(job.uid, "task", UPLOAD_TASK), UPLOAD_TASK, _upload(job), CONTAINER, outputs),
            **below,
        },
    ]


def _upload(job: Job) -> str:
    if job.trained is not None:
        return str(job.state.value)
    return "NOT_TRIGGERED" if job.state in TERMINAL else "PENDING"


def _task(job: Job, identity: str, name: str, state: str, schema: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    execution = {
        "name": f"{job.name.rpartition('/pipelineJobs/')[0]}/metadataStores/default/executions/{identity}",
        "displayName": name,
        "state": {"SUCCEEDED": "COMPLETE", "FAILED": "FAILED", "CANCELLED": "CANCELLED"}.get(state, "RUNNING"),
        "schemaTitle": schema,
        "metadata": metadata,
    }
    return present(
        {
            "taskId": identity,
            "taskName": name,
            "state": state,
            "createTime": rfc3339(job.start_time or job.create_time),
            "startTime": rfc3339(job.start_time or job.create_time),
            "endTime": None if job.end_time is None else rfc3339(job.end_time),
            "execution": present(execution),
            "error": None if job.error is None or state != "FAILED" else {"code": job.error.code},
        }
    )
