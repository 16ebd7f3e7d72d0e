"""google-genai, unmodified, against the local Vertex AI. It speaks v1beta1."""

from __future__ import annotations

import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from vertex_harness import Bucket, LocalVertex, StartVertex, stub_worker, until


def client_of(vertex: LocalVertex) -> genai.Client:
    return genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="local"),
        http_options=types.HttpOptions(base_url=vertex.address),
    )


def test_tune_wait_and_ask(vertex: LocalVertex, bucket: Bucket) -> None:
    """A job made by the client is found, waited for and listed by it, and its endpoint answers."""
    client = client_of(vertex)
    job = client.tunings.tune(
        base_model="gemini-2.5-flash",
        training_dataset=types.TuningDataset(gcs_uri=bucket.write_rows("a.jsonl", 12)),
        config=types.CreateTuningJobConfig(
            epoch_count=2,
            adapter_size=types.AdapterSize.ADAPTER_SIZE_FOUR,
            learning_rate_multiplier=0.5,
            tuned_model_display_name="mine",
            validation_dataset=types.TuningValidationDataset(gcs_uri=bucket.write_rows("e.jsonl", 3)),
        ),
    )
    assert job.name is not None and not job.has_ended
    until(lambda: client.tunings.get(name=str(job.name)).has_ended)
    job = client.tunings.get(name=str(job.name))
    assert job.has_succeeded and job.tuned_model is not None and job.tuned_model.endpoint is not None
    assert [listed.name for listed in client.tunings.list()] == [job.name]
    answer = client.models.generate_content(
        model=job.tuned_model.endpoint,
        contents="one two",
        config=types.GenerateContentConfig(system_instruction="short", temperature=0, max_output_tokens=5),
    )
    assert answer.text == "adapter|system:short|user:one two"
    assert answer.usage_metadata is not None and answer.usage_metadata.prompt_token_count == 3
    chunks = client.models.generate_content_stream(model=job.tuned_model.endpoint, contents="hi")
    assert "".join(chunk.text or "" for chunk in chunks) == "adapter|user:hi"
    assert [model.display_name for model in client.models.list(config={"query_base": False})] == ["mine"]
    assert "publishers/google/models/gemini-2.5-flash" in {model.name for model in client.models.list()}


def test_base_model_counts_and_chooses(vertex: LocalVertex) -> None:
    """The base model counts tokens and answers with one of an enum's words."""
    client = client_of(vertex)
    assert client.models.count_tokens(model="gemini-2.5-flash", contents="one two three").total_tokens == 3
    config = types.GenerateContentConfig(
        response_mime_type="text/x.enum", response_schema={"type": "STRING", "enum": ["long one", "ok"]}
    )
    answer = client.models.generate_content(model="gemini-2.5-flash", contents="which?", config=config)
    assert answer.text == "ok" and answer.candidates is not None and answer.candidates[0].avg_logprobs == -1.0


def test_cancel(start_vertex: StartVertex, bucket: Bucket) -> None:
    """The client cancels a job and sees it cancelled."""
    client = client_of(start_vertex(stub_worker("wait")))
    dataset = types.TuningDataset(gcs_uri=bucket.write_rows("a.jsonl", 12))
    job = client.tunings.tune(base_model="gemini-2.5-flash", training_dataset=dataset)
    client.tunings.cancel(name=str(job.name))
    until(lambda: client.tunings.get(name=str(job.name)).state == types.JobState.JOB_STATE_CANCELLED)


def test_refusals_become_the_client_s_errors(vertex: LocalVertex) -> None:
    """A refusal arrives as the client's own error with status and message."""
    client = client_of(vertex)
    with pytest.raises(errors.ClientError, match=r"INVALID_ARGUMENT.*cannot be tuned"):
        client.tunings.tune(base_model="gemini-9", training_dataset=types.TuningDataset(gcs_uri="gs://b/a"))
    with pytest.raises(errors.ServerError, match="preferenceOptimizationSpec"):
        client.tunings.tune(
            base_model="gemini-2.5-flash",
            training_dataset=types.TuningDataset(gcs_uri="gs://b/a"),
            config=types.CreateTuningJobConfig(method="PREFERENCE_TUNING"),
        )
