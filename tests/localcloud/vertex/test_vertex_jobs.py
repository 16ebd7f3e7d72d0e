"""Jobs over REST, from creation to their last state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from vertex_harness import PARENT, Bucket, LocalVertex, StartVertex, pipeline_body, stub_worker, until


def upload_task(job: Any) -> Any:
    return next(t for t in job["jobDetail"]["taskDetails"] if t["taskName"] == "upload-llm-model")


def test_pipeline_job_ends_with_a_deployed_model(vertex: LocalVertex, bucket: Bucket) -> None:
    """A succeeded pipeline names its model in the upload task and the root run, and the model is on an endpoint."""
    body = pipeline_body(bucket.write_rows("a.jsonl", 12), f"gs://{bucket.name}/out")
    job = vertex.post(f"{PARENT}/pipelineJobs", body, pipelineJobId="tune-1")
    assert job["name"] == f"{PARENT}/pipelineJobs/tune-1"
    job = vertex.wait(job["name"])
    assert job["state"] == "PIPELINE_STATE_SUCCEEDED"
    assert "error" not in job and job["createTime"] <= job["startTime"] <= job["endTime"]
    name = upload_task(job)["execution"]["metadata"]["output:model_resource_name"]
    roots = [t for t in job["jobDetail"]["taskDetails"] if t["execution"]["schemaTitle"] == "system.Run"]
    assert [t["execution"]["metadata"]["output:model_resource_name"] for t in roots] == [name]
    model = vertex.get(name)
    assert model["displayName"] == "mine" and model["versionId"] == "1" and model["versionAliases"] == ["default"]
    assert model["labels"] == {
        "google-vertex-llm-tuning-base-model-id": "text-bison-002",
        "local-base-model": "stub-base-1m",
    }
    endpoint = vertex.get(model["deployedModels"][0]["endpoint"])
    assert endpoint["displayName"] == "mine" and endpoint["labels"] == model["labels"]
    assert endpoint["deployedModels"][0]["model"] == model["name"]


def test_pipeline_metrics_land_in_the_output_directory(vertex: LocalVertex, bucket: Bucket) -> None:
    """The output directory gets one line of metrics per training step."""
    body = pipeline_body(bucket.write_rows("a.jsonl", 12), f"gs://{bucket.name}/out/")
    vertex.wait(vertex.post(f"{PARENT}/pipelineJobs", body, pipelineJobId="tune-1")["name"])
    lines = [json.loads(line) for line in bucket.read(f"gs://{bucket.name}/out/tune-1/metrics.jsonl").splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert lines[2]["/train_total_loss"] == pytest.approx(1 / 3)


def test_worker_gets_the_contract_s_spec(start_vertex: StartVertex, bucket: Bucket) -> None:
    """The worker's spec carries local paths, the compute region's batch size and the scaled learning rate."""
    vertex = start_vertex(base_model="/models/tiny", tuning_mode="full")
    body = pipeline_body(
        bucket.write_rows("a.jsonl", 12),
        f"gs://{bucket.name}/out",
        accelerator_type="TPU",
        learning_rate_multiplier=0.5,
        evaluation_data_uri=bucket.write_rows("e.jsonl", 10),
        evaluation_interval=5,
    )
    vertex.wait(vertex.post(f"{PARENT}/pipelineJobs", body)["name"])
    (folder,) = (vertex.data / "vertex" / "jobs").iterdir()
    assert json.loads((folder / "spec.json").read_text()) == {
        "method": "supervised",
        "base_model": "/models/tiny",
        "train_path": str(folder / "train.jsonl"),
        "eval_path": str(folder / "eval.jsonl"),
        "tuning_mode": "full",
        "steps": 3,
        "batch_size": 24,
        "learning_rate": pytest.approx(1e-3),
        "adapter_size": 8,
        "seed": 0,
        "max_tokens": 2048,
        "threads": None,
        "eval_interval": 5,
        "early_stopping": True,
    }


def test_tuning_job_reports_what_was_tuned(vertex: LocalVertex, bucket: Bucket) -> None:
    """A succeeded tuning job names model version and endpoint and counts rows, steps, epochs and tokens as strings."""
    job = vertex.tune(bucket.write_rows("a.jsonl", 12), labels={"team": "red"}, description="first")
    assert job["state"] in ("JOB_STATE_PENDING", "JOB_STATE_RUNNING")
    assert job["supervisedTuningSpec"]["hyperParameters"] == {"epochCount": "2"}
    job = vertex.wait(job["name"])
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert job["tunedModel"]["model"].endswith("@1")
    assert job["tuningDataStats"]["supervisedTuningDataStats"] == {
        "tuningDatasetExampleCount": "12",
        "tuningStepCount": "3",
        "totalBillableTokenCount": "240",
        "totalTruncatedExampleCount": "1",
    }
    assert job["tuningJobMetadata"] == {"completedStepCount": "3", "completedEpochCount": "2"}
    assert bucket.read(job["gcsMetricsUri"]).count("\n") == 3
    model = vertex.get(job["tunedModel"]["model"])
    endpoint = vertex.get(job["tunedModel"]["endpoint"])
    for resource in (model, endpoint):
        assert resource["labels"]["team"] == "red"
        assert resource["labels"]["tune-type"] == "sft"
        assert resource["labels"]["local-base-model"] == "stub-base-1m"
    assert model["description"] == "first"


@pytest.mark.parametrize("missing", ["object", "bucket"])
def test_missing_dataset_fails_the_job(vertex: LocalVertex, bucket: Bucket, missing: str) -> None:
    """A data set that is not there ends the job with google.rpc.Code 5 naming its address; creation still succeeds."""
    uri = f"gs://{bucket.name}/no.jsonl" if missing == "object" else "gs://no-such-bucket-here/no.jsonl"
    job = vertex.wait(vertex.tune(uri)["name"])
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["code"] == 5 and uri in job["error"]["message"]


def test_missing_output_bucket_fails_before_training(vertex: LocalVertex, bucket: Bucket) -> None:
    """An output directory in a bucket that is not there fails the job before a worker starts."""
    body = pipeline_body(bucket.write_rows("a.jsonl", 12), "gs://no-such-bucket-here/out")
    job = vertex.wait(vertex.post(f"{PARENT}/pipelineJobs", body)["name"])
    assert job["error"]["code"] == 5 and "gs://no-such-bucket-here" in job["error"]["message"]
    assert not list((vertex.data / "vertex" / "jobs").glob("*/starts"))


@pytest.mark.parametrize(("rows", "eval_rows"), [(9, 10), (12, 9), (12, 251)])
def test_row_limits_fail_the_job(vertex: LocalVertex, bucket: Bucket, rows: int, eval_rows: int) -> None:
    """Fewer than 10 training rows, or evaluation rows outside 10 to 250, end a PaLM job as an invalid argument."""
    uris = bucket.write_rows("a.jsonl", rows), bucket.write_rows("e.jsonl", eval_rows)
    body = pipeline_body(uris[0], f"gs://{bucket.name}/out", evaluation_data_uri=uris[1])
    job = vertex.wait(vertex.post(f"{PARENT}/pipelineJobs", body)["name"])
    assert job["state"] == "PIPELINE_STATE_FAILED" and job["error"]["code"] == 3
    assert "rows; PaLM text and code models take 10 to" in job["error"]["message"]


def test_worker_s_own_reason_becomes_the_job_s_error(start_vertex: StartVertex, bucket: Bucket) -> None:
    """What the worker writes to error.json is the job's error, code and message."""
    vertex = start_vertex(stub_worker("refuse"))
    uri = bucket.write_rows("a.jsonl", 12)
    job = vertex.wait(vertex.tune(uri)["name"])
    assert job["error"] == {"code": 3, "message": "row 3 has no output_text"}
    body = pipeline_body(uri, f"gs://{bucket.name}/out")
    job = vertex.wait(vertex.post(f"{PARENT}/pipelineJobs", body)["name"])
    states = {task["taskName"]: task["state"] for task in job["jobDetail"]["taskDetails"][1:]}
    assert states == {"large-language-model-tuner": "FAILED", "upload-llm-model": "NOT_TRIGGERED"}


def test_worker_that_ends_without_a_reason_is_internal(start_vertex: StartVertex, bucket: Bucket) -> None:
    """An exit without result or reason fails the job at once, with the end of the worker's log."""
    vertex = start_vertex(stub_worker("crash"))
    job = vertex.wait(vertex.tune(bucket.write_rows("a.jsonl", 12))["name"])
    assert job["error"]["code"] == 13
    assert "exit code 3" in job["error"]["message"] and "worker fell over" in job["error"]["message"]


def test_killed_worker_is_started_again(start_vertex: StartVertex, bucket: Bucket) -> None:
    """A worker ended by a signal is started again in the same folder, and the job still succeeds."""
    vertex = start_vertex(stub_worker("die-once"))
    job = vertex.wait(vertex.tune(bucket.write_rows("a.jsonl", 12))["name"])
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert bucket.read(job["gcsMetricsUri"]).count("\n") == 3, "steps repeated after the crash count once"


def test_worker_that_keeps_dying_fails_the_job(start_vertex: StartVertex, bucket: Bucket) -> None:
    """After two restarts the job fails as internal, naming the signal."""
    vertex = start_vertex(stub_worker("die"))
    job = vertex.wait(vertex.tune(bucket.write_rows("a.jsonl", 12))["name"])
    assert job["error"]["code"] == 13
    assert "SIGKILL" in job["error"]["message"] and "2 restarts" in job["error"]["message"]
    (starts,) = (vertex.data / "vertex" / "jobs").glob("*/starts")
    assert len(starts.read_text().split()) == 3


def test_jobs_run_one_after_the_other(start_vertex: StartVertex, bucket: Bucket) -> None:
    """With one slot the second job stays queued until the first has ended."""
    vertex = start_vertex(stub_worker("wait"))
    uri = bucket.write_rows("a.jsonl", 12)
    first, second = vertex.tune(uri)["name"], vertex.tune(uri)["name"]
    vertex.wait(first, "RUNNING")
    until(lambda: vertex.get(first).get("tuningJobState") == "TUNING_JOB_STATE_TUNING")
    assert vertex.state(second) == "QUEUED"
    folders = {name: vertex.data / "vertex" / "jobs" / name.rpartition("/")[2] for name in (first, second)}
    (folders[first] / "go").touch()
    assert vertex.wait(first)["state"] == "JOB_STATE_SUCCEEDED"
    vertex.wait(second, "RUNNING")
    until(folders[second].exists)
    (folders[second] / "go").touch()
    assert vertex.wait(second)["state"] == "JOB_STATE_SUCCEEDED"


def test_concurrent_jobs(start_vertex: StartVertex, bucket: Bucket) -> None:
    """With two slots two jobs run side by side."""
    vertex = start_vertex(stub_worker("wait"), concurrent_jobs=2)
    uri = bucket.write_rows("a.jsonl", 12)
    for name in [vertex.tune(uri)["name"] for _ in range(2)]:
        vertex.wait(name, "RUNNING")


def test_cancel_ends_the_worker(start_vertex: StartVertex, bucket: Bucket) -> None:
    """Cancelling a running job ends its worker and then the job; a queued one ends at once."""
    vertex = start_vertex(stub_worker("wait"))
    uri = bucket.write_rows("a.jsonl", 12)
    first, second = vertex.tune(uri)["name"], vertex.tune(uri)["name"]
    (starts,) = until(lambda: list((vertex.data / "vertex" / "jobs").glob("*/starts")))
    pid = int(until(starts.read_text).split()[0])
    assert vertex.post(f"{second}:cancel") == {}
    assert vertex.state(second) == "CANCELLED"
    vertex.post(f"{first}:cancel")
    assert vertex.state(first) in ("CANCELLING", "CANCELLED")
    job = vertex.wait(first)
    assert job["state"] == "JOB_STATE_CANCELLED" and job["error"]["code"] == 1
    assert not Path(f"/proc/{pid}").exists()
    assert vertex.post(f"{first}:cancel") == {}, "cancelling twice is harmless"


def test_ended_job_cannot_be_cancelled_but_deleted(vertex: LocalVertex, bucket: Bucket) -> None:
    """A succeeded pipeline refuses to be cancelled; deleting it keeps its model, and its id is free again."""
    body = pipeline_body(bucket.write_rows("a.jsonl", 12), f"gs://{bucket.name}/out")
    job = vertex.wait(vertex.post(f"{PARENT}/pipelineJobs", body, pipelineJobId="once")["name"])
    assert vertex.refused("POST", f"{job['name']}:cancel")[0] == "FAILED_PRECONDITION"
    operation = vertex.http.delete(f"/v1/{job['name']}").json()
    assert operation["done"] and vertex.get(operation["name"]) == operation
    assert vertex.refused("GET", job["name"])[0] == "NOT_FOUND"
    model = upload_task(job)["execution"]["metadata"]["output:model_resource_name"]
    again = vertex.wait(vertex.post(f"{PARENT}/pipelineJobs", body, pipelineJobId="once")["name"])
    other = upload_task(again)["execution"]["metadata"]["output:model_resource_name"]
    assert other != model and vertex.get(model)["name"] != vertex.get(other)["name"]


def test_same_pipeline_job_id_is_refused(vertex: LocalVertex, bucket: Bucket) -> None:
    """A second pipeline job under one id is ALREADY_EXISTS, whatever became of the first."""
    body = pipeline_body(f"gs://{bucket.name}/no.jsonl", f"gs://{bucket.name}/out")
    vertex.post(f"{PARENT}/pipelineJobs", body, pipelineJobId="once")
    status, message = vertex.refused("POST", f"{PARENT}/pipelineJobs", body, pipelineJobId="once")
    assert status == "ALREADY_EXISTS" and f"{PARENT}/pipelineJobs/once" in message


def test_lists_filter_and_page(vertex: LocalVertex, bucket: Bucket) -> None:
    """Jobs are found by label and state, newest first, a page at a time; lists leave jobDetail out."""
    body = pipeline_body(f"gs://{bucket.name}/no.jsonl", f"gs://{bucket.name}/out")
    for number in range(3):
        labels = {"droptune-request": f"r-{number}"}
        vertex.wait(
            vertex.post(f"{PARENT}/pipelineJobs", {**body, "labels": labels}, pipelineJobId=f"j{number}")["name"]
        )
    found = vertex.get(f"{PARENT}/pipelineJobs", filter='labels.droptune-request="r-1"')["pipelineJobs"]
    assert [job["name"].rpartition("/")[2] for job in found] == ["j1"] and "jobDetail" not in found[0]
    first = vertex.get(f"{PARENT}/pipelineJobs", pageSize="2", filter='state="PIPELINE_STATE_FAILED"')
    rest = vertex.get(f"{PARENT}/pipelineJobs", pageSize="2", pageToken=first["nextPageToken"])
    names = [job["name"].rpartition("/")[2] for job in first["pipelineJobs"] + rest["pipelineJobs"]]
    assert names == ["j2", "j1", "j0"] and "nextPageToken" not in rest
    assert vertex.get(f"{PARENT}/pipelineJobs", filter="labels.none:*") == {}


def test_partial_response(vertex: LocalVertex, bucket: Bucket) -> None:
    """`fields` cuts the answer down to the paths that it names."""
    body = pipeline_body(bucket.write_rows("a.jsonl", 12), f"gs://{bucket.name}/out")
    name = vertex.post(f"{PARENT}/pipelineJobs", body)["name"]
    vertex.wait(name)
    fields = "name,state,error,jobDetail/taskDetails(taskName,execution(schemaTitle,metadata))"
    job = vertex.get(name, fields=fields)
    assert set(job) == {"name", "state", "jobDetail"}
    assert all(set(task) <= {"taskName", "execution"} for task in job["jobDetail"]["taskDetails"])
    assert upload_task(job)["execution"]["metadata"]["output:model_resource_name"]


def test_progress_is_on_a_local_path(vertex: LocalVertex, bucket: Bucket) -> None:
    """How far a job is can be read apart from Google's paths, whose resources show nothing unofficial."""
    name = vertex.tune(bucket.write_rows("a.jsonl", 12))["name"]
    vertex.wait(name)
    progress = vertex.http.get(f"/local/v1/{name}/progress", params={"lines": "2"}).json()
    assert progress["job"] == name and progress["state"] == "SUCCEEDED" and progress["phase"] == "training"
    assert [line["step"] for line in progress["lines"]] == [2, 3]


def test_other_projects_are_refused(start_vertex: StartVertex) -> None:
    """With a project set, another one is answered as the service answers without access."""
    vertex = start_vertex(project="mine")
    assert vertex.refused("GET", f"{PARENT}/tuningJobs")[0] == "PERMISSION_DENIED"
    assert vertex.get("projects/mine/locations/us-central1/tuningJobs") == {}


def test_one_folder_has_one_server(start_vertex: StartVertex) -> None:
    """A second server over the same folder refuses to start."""
    start_vertex()
    with pytest.raises(OSError, match="another local Vertex AI"):
        start_vertex()
