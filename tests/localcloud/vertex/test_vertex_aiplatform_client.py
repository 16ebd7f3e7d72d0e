"""google-cloud-aiplatform, unmodified, over REST. All in one file, since importing it takes seconds."""

from __future__ import annotations

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, aiplatform_v1
from vertex_harness import PARENT, Bucket, LocalVertex, pipeline_body


@pytest.fixture
def model_name(vertex: LocalVertex, bucket: Bucket) -> str:
    """A tuned model, with the client pointed at the service that made it."""
    aiplatform.init(
        project="p",
        location="us-central1",
        credentials=AnonymousCredentials(),
        api_endpoint=vertex.address,
        api_transport="rest",
        staging_bucket=f"gs://{bucket.name}",
    )
    body = pipeline_body(bucket.write_rows("a.jsonl", 12), f"gs://{bucket.name}/out")
    job = vertex.wait(vertex.post(f"{PARENT}/pipelineJobs", body, pipelineJobId="tune-1")["name"])
    tasks = job["jobDetail"]["taskDetails"]
    return str(tasks[0]["execution"]["metadata"]["output:model_resource_name"])


def test_pipeline_job(model_name: str) -> None:
    """PipelineJob.get and list read state, tasks and labels of a job."""
    job = aiplatform.PipelineJob.get("tune-1")
    assert job.state.name == "PIPELINE_STATE_SUCCEEDED" and job.done()
    assert [task.task_name for task in job.task_details][-1] == "upload-llm-model"
    assert [listed.name for listed in aiplatform.PipelineJob.list()] == ["tune-1"]


def test_registry_and_endpoint(model_name: str) -> None:
    """Model, aliases, evaluations and predictions work through the client's own classes."""
    text = 'labels.google-vertex-llm-tuning-base-model-id="text-bison-002"'
    (model,) = aiplatform.Model.list(filter=text)
    assert model_name.startswith(model.resource_name)
    model.versioning_registry.add_version_aliases(["champion"], version="1")
    assert aiplatform.Model(f"{model.resource_name}@champion").version_id == "1"
    model.versioning_registry.remove_version_aliases(["champion"], version="1")
    assert [version.version_aliases for version in model.versioning_registry.list_versions()] == [["default"]]
    assert model.update(labels={"a": "b"}).labels == {"a": "b"}
    (endpoint,) = aiplatform.Endpoint.list()
    assert endpoint.predict(instances=[{"content": "one two"}]).predictions[0]["content"] == "adapter|user:one two"
    endpoint.undeploy_all()
    endpoint.delete()
    model.delete()
    assert aiplatform.Model.list() == []


def test_generated_clients(vertex: LocalVertex, model_name: str) -> None:
    """The generated REST client creates pipeline jobs and imports evaluations, sending enums as numbers."""
    options = {
        "credentials": AnonymousCredentials(),
        "transport": "rest",
        "client_options": {"api_endpoint": vertex.address},
    }
    jobs = aiplatform_v1.GenAiTuningServiceClient(**options)
    spec = {"training_dataset_uri": "gs://none/a.jsonl", "hyper_parameters": {"epoch_count": 2, "adapter_size": 3}}
    job = jobs.create_tuning_job(
        parent=PARENT, tuning_job={"base_model": "gemini-2.5-flash", "supervised_tuning_spec": spec}
    )
    assert job.supervised_tuning_spec.hyper_parameters.epoch_count == 2
    models = aiplatform_v1.ModelServiceClient(**options)
    uri = "gs://google-cloud-aiplatform/schema/modelevaluation/general_text_generation_metrics_1.0.0.yaml"
    evaluation = {"metrics_schema_uri": uri, "metrics": {"exactMatch": 0.5}, "display_name": "e"}
    models.import_model_evaluation(parent=model_name, model_evaluation=evaluation)
    (found,) = models.list_model_evaluations(parent=model_name)
    assert dict(found.metrics) == {"exactMatch": 0.5}
