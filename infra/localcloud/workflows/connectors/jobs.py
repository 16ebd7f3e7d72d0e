"""Methods that start a job which is no operation, yet are waited for: an explicit table, job kind by job kind.

Tuning jobs are left out on purpose: no page says that the service waits for them, and a workflow that polls a job by
hand works either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from ..errors import operation_error
from ..values import from_json
from .progress import Answer, Awaited, Progress, by_name, path_text


def _by_state(succeeded: frozenset[str], failed: frozenset[str], *place: str) -> Awaited:
    """A resource with a state at `place`, looked at again by its name; its result is the resource itself."""

    def progress(answer: Answer) -> Progress:
        state: Any = answer
        for key in place:
            state = state.get(key, {})
        if state in failed:
            return _failed(answer, f"{answer.get('name')} ended as {state}", answer.get("error"))
        return Progress(done=state in succeeded, result=answer)

    return Awaited(by_name, progress)


def _failed(answer: Answer, message: str, error: Any) -> Progress:
    return Progress(done=True, failure=operation_error(message, answer, error))


def _bigquery_path(answer: Answer, version: str) -> str:
    reference = answer["jobReference"]
    path = f"{version}projects/{path_text(reference['projectId'])}/jobs/{path_text(reference['jobId'])}"
    location = reference.get("location")
    return f"{path}?location={quote(location, safe='')}" if location else path


def _bigquery(answer: Answer) -> Progress:
    status = answer["status"]
    if status["state"] != "DONE":
        return Progress(done=False)
    if (error := status.get("errorResult")) is not None:
        return _failed(answer, error.get("message", "the job failed"), error)
    return Progress(done=True, result=answer)


def _dataflow_path(answer: Answer, version: str) -> str:
    project, location, job = (path_text(answer[key]) for key in ("projectId", "location", "id"))
    return f"{version}projects/{project}/locations/{location}/jobs/{job}"


def _dataflow(answer: Answer) -> Progress:
    state = answer.get("currentState")
    if state in ("JOB_STATE_FAILED", "JOB_STATE_CANCELLED"):
        return _failed(answer, f"the job {answer.get('id')} ended as {state}", None)
    return Progress(done=state in ("JOB_STATE_DONE", "JOB_STATE_UPDATED", "JOB_STATE_DRAINED"), result=answer)


def _run_path(answer: Answer, version: str) -> str:
    place = answer["metadata"]
    namespace, execution = path_text(place["namespace"]), path_text(place["name"])
    return f"apis/run.googleapis.com/v1/namespaces/{namespace}/executions/{execution}"


def _run(answer: Answer) -> Progress:
    """An execution of a Cloud Run job, in the form of Knative: the condition Completed is True or False at its end."""
    conditions = answer.get("status", {}).get("conditions", [])
    completed: Answer = next((condition for condition in conditions if condition["type"] == "Completed"), {})
    if completed.get("status") == "False":
        return _failed(answer, completed.get("message", "the execution failed"), completed)
    return Progress(done=completed.get("status") == "True", result=answer)


def _execution(answer: Answer) -> Progress:
    """An execution of a workflow; its result is a JSON text."""
    state = answer["state"]
    if state in ("FAILED", "CANCELLED", "UNAVAILABLE"):
        return _failed(answer, "Execution failed or cancelled.", answer.get("error"))
    return Progress(done=state == "SUCCEEDED", result=from_json(answer.get("result", "null")))


_JOB: Final = _by_state(
    frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED"}),
    frozenset({"JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"}),
    "state",
)
_PIPELINE: Final = _by_state(
    frozenset({"PIPELINE_STATE_SUCCEEDED"}), frozenset({"PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED"}), "state"
)
_VERTEX: Final[Mapping[str, Awaited]] = {
    "batchPredictionJobs": _JOB,
    "customJobs": _JOB,
    "dataLabelingJobs": _JOB,
    "hyperparameterTuningJobs": _JOB,
    "nasJobs": _JOB,
    "pipelineJobs": _PIPELINE,
    "trainingPipelines": _PIPELINE,
}
_DATAFLOW: Final = Awaited(_dataflow_path, _dataflow)
_EXECUTED: Final = _by_state(frozenset({"SUCCEEDED"}), frozenset({"FAILED", "CANCELLED", "UNAVAILABLE"}), "state")

EXECUTION: Final = Awaited(by_name, _execution)
JOBS: Final[Mapping[str, Awaited]] = {
    **{
        f"googleapis.aiplatform.{version}.projects.locations.{kind}.create": awaited
        for version in ("v1", "v1beta1")
        for kind, awaited in _VERTEX.items()
    },
    "googleapis.batch.v1.projects.locations.jobs.create": _by_state(
        frozenset({"SUCCEEDED"}), frozenset({"FAILED", "CANCELLED"}), "status", "state"
    ),
    "googleapis.bigquery.v2.jobs.insert": Awaited(_bigquery_path, _bigquery),
    "googleapis.dataflow.v1b3.projects.locations.templates.create": _DATAFLOW,
    "googleapis.dataflow.v1b3.projects.templates.create": _DATAFLOW,
    "googleapis.run.v1.namespaces.jobs.run": Awaited(_run_path, _run),
    **{
        f"googleapis.workflowexecutions.{version}.projects.locations.workflows.executions.create": _EXECUTED
        for version in ("v1", "v1beta")
    },
}
