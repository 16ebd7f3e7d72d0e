"""What job requests are understood as, and which are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vertex_harness import pipeline_body

from localcloud.http import GoogleError
from localcloud.vertex.catalogue import TEMPLATE_ROOT, TRAINED_TEMPLATES, UNTRAINED_TEMPLATES, template_family
from localcloud.vertex.names import Parent
from localcloud.vertex.pipeline_specs import check_job_id, parse_pipeline_job
from localcloud.vertex.records import TuningPlan
from localcloud.vertex.tuning_specs import UNTRAINED_SPECS, parse_tuning_job

HOME = Parent("p", "us-central1")
KEY = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"


def pipeline(location: str = "us-central1", **parameters: Any) -> TuningPlan:
    return parse_pipeline_job(pipeline_body("gs://b/t.jsonl", "gs://b/out", **parameters), Parent("p", location), "j")


def tuning(parent: Parent = HOME, spec: Mapping[str, Any] | None = None, **changes: Any) -> TuningPlan:
    body = {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": {"trainingDatasetUri": "gs://b/t", **(spec or {})}}
    return parse_tuning_job({**body, **changes}, parent, "7", "metrics")


def refusal(call: Any, *arguments: Any, **keywords: Any) -> tuple[str, str]:
    with pytest.raises(GoogleError) as refused:
        call(*arguments, **keywords)
    return refused.value.status, refused.value.message


@pytest.mark.parametrize(
    ("accelerator", "model", "batch_size"),
    [
        ("GPU", "text-bison@002", 8),
        ("TPU", "text-bison@002", 24),
        ("TPU", "text-bison-32k@002", 8),
        ("GPU", "code-bison-32k@002", 8),
    ],
)
def test_batch_size_follows_the_accelerator_s_region(accelerator: str, model: str, batch_size: int) -> None:
    """GPU computes in us-central1 and TPU in europe-west4, whatever the pipeline's region, and sets the batch size."""
    plan = pipeline("europe-west4", accelerator_type=accelerator, large_model_reference=model)
    assert plan.batch_size == batch_size


def test_pipeline_defaults() -> None:
    """Steps, multiplier, interval and early stopping have the template's defaults."""
    plan = pipeline(train_steps=None, evaluation_data_uri="gs://b/e.jsonl")
    assert (plan.steps, plan.learning_rate_multiplier, plan.eval_interval, plan.early_stopping) == (300, 1.0, 20, True)
    assert pipeline().early_stopping is False, "early stopping is void without evaluation data"


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"accelerator_type:": "GPU"}, "colon"),
        ({"train_step": 5}, "'train_step'"),
        ({"train_steps": "100"}, "train_steps must be a number"),
        ({"train_steps": 1.5}, "whole number"),
        ({"train_steps": True}, "found boolean"),
        ({"train_steps": 0}, "at least 1"),
        ({"learning_rate_multiplier": 0}, "greater than 0"),
        ({"learning_rate_multiplier": float("nan")}, "must be a number"),
        ({"learning_rate": 0.1}, "learning_rate_multiplier"),
        ({"project": None}, "project is required"),
        ({"model_display_name": ""}, "model_display_name is required"),
        ({"model_display_name": "x" * 129}, "at most 128"),
        ({"dataset_uri": None}, "dataset_uri is required"),
        ({"dataset_uri": "b/t.jsonl"}, "gs://bucket/object"),
        ({"large_model_reference": "gemini-2.5-flash"}, "text-bison@002"),
        ({"location": "us-east1"}, "us-central1"),
        ({"accelerator_type": "NVIDIA_L4"}, "GPU, TPU"),
        ({"evaluation_interval": 10}, "needs evaluation_data_uri"),
        ({"default_context": "x"}, "chat"),
        ({"encryption_spec_key_name": KEY, "accelerator_type": "TPU"}, "us-central1"),
        ({"encryption_spec_key_name": "k"}, "Cloud KMS"),
        ({"tensorboard_resource_id": "projects/p/locations/europe-west4/tensorboards/1"}, "europe-west4"),
    ],
)
def test_bad_parameters_are_refused_by_name(parameters: dict[str, Any], word: str) -> None:
    """A wrong, unknown or missing parameter is an invalid argument that names it and what is allowed."""
    status, message = refusal(pipeline, **parameters)
    assert status == "INVALID_ARGUMENT" and word in message


def test_pipeline_regions() -> None:
    """A pipeline in a region without tuning is refused."""
    assert refusal(pipeline, "us-east1")[0] == "INVALID_ARGUMENT"
    assert pipeline("asia-northeast3").location == "us-central1", "models go to the parameter's location"


@pytest.mark.parametrize("path", UNTRAINED_TEMPLATES)
def test_known_templates_without_trainer_are_refused_by_name(path: str) -> None:
    """Chat, embedding, RLHF and distillation templates are known and say that they cannot be trained here yet."""
    status, message = refusal(template_family, f"{TEMPLATE_ROOT}{path}/v1.0.0")
    assert status == "UNIMPLEMENTED" and path.rpartition("/")[2] in message and "no trainer for it yet" in message


def test_templates_are_trained_or_not() -> None:
    """No template is in both lists, and an unknown one is an invalid argument."""
    assert not {path.rpartition("/")[0] for path in TRAINED_TEMPLATES} & set(UNTRAINED_TEMPLATES)
    assert refusal(template_family, "https://example.com/pipeline.json")[0] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("identity", ["", "1a", "a_b", "A", "a" * 129])
def test_bad_pipeline_job_ids(identity: str) -> None:
    """Job ids are 1 to 128 lowercase letters, digits and dashes, a letter first."""
    assert refusal(check_job_id, identity)[0] == "INVALID_ARGUMENT"


def test_tuning_job_plan() -> None:
    """Hyperparameters are read as numbers or as strings of them; labels gain base model, job and tune type."""
    parameters = {"epochCount": "3", "learningRateMultiplier": 2, "adapterSize": "ADAPTER_SIZE_FOUR"}
    plan = tuning(spec={"hyperParameters": parameters, "validationDatasetUri": "gs://b/v"}, labels={"a": "b"})
    assert (plan.epochs, plan.learning_rate_multiplier, plan.adapter_size, plan.batch_size) == (3, 2.0, 4, 8)
    assert plan.eval_uri == "gs://b/v" and plan.metrics_folder == "gs://metrics/7"
    assert plan.labels == {
        "a": "b",
        "google-vertex-llm-tuning-base-model-id": "gemini-2-5-flash",
        "google-vertex-llm-tuning-job-id": "7",
        "tune-type": "sft",
    }


@pytest.mark.parametrize(("number", "size"), [(1, 1), (6, 2), (2, 4), (3, 8), (4, 16)])
def test_adapter_size_by_wire_number(number: int, size: int) -> None:
    """Generated REST clients send the enum's number, which does not follow the size."""
    assert tuning(spec={"hyperParameters": {"adapterSize": number}}).adapter_size == size


@pytest.mark.parametrize("reference", ["publishers/google/models/", "projects/p/locations/l/publishers/google/models/"])
def test_base_model_by_resource_name(reference: str) -> None:
    """A base model may be given by its resource name."""
    assert tuning(baseModel=f"{reference}gemini-2.5-pro").base_model == "gemini-2.5-pro"


@pytest.mark.parametrize("spec", UNTRAINED_SPECS)
def test_other_tuning_specs_are_refused_by_name(spec: str) -> None:
    """Preference, distillation and reinforcement specs are known and say that they cannot be trained here yet."""
    status, message = refusal(tuning, **{spec: {"x": 1}})
    assert status == "UNIMPLEMENTED" and message.startswith(f"{spec}: ")


@pytest.mark.parametrize(
    ("changes", "status", "word"),
    [
        ({"preTunedModel": {"tunedModelName": "m"}}, "UNIMPLEMENTED", "preTunedModel"),
        ({"outputUri": "gs://b/o"}, "UNIMPLEMENTED", "outputUri"),
        ({"baseModel": "text-bison@002"}, "INVALID_ARGUMENT", "gemini-2.5-flash"),
        ({"baseModel": None}, "INVALID_ARGUMENT", "baseModel is required"),
        ({"supervisedTuningSpec": None}, "INVALID_ARGUMENT", "supervisedTuningSpec"),
        ({"labels": {"A": "b"}}, "INVALID_ARGUMENT", "label key 'A'"),
        ({"labels": {"a": "B"}}, "INVALID_ARGUMENT", "label a"),
        ({"tunedModelDisplayName": "x" * 129}, "INVALID_ARGUMENT", "at most 128"),
        ({"surprise": 1}, "INVALID_ARGUMENT", "'surprise'"),
        ({"spec": {"evaluationConfig": {"metrics": []}}}, "UNIMPLEMENTED", "evaluationConfig"),
        ({"spec": {"tuningMode": "TUNING_MODE_FULL"}}, "INVALID_ARGUMENT", "open models"),
        ({"spec": {"hyperParameters": {"batchSize": 4}}}, "INVALID_ARGUMENT", "open models"),
        ({"spec": {"hyperParameters": {"epochCount": 0}}}, "INVALID_ARGUMENT", "epochCount is 0"),
        ({"spec": {"hyperParameters": {"adapterSize": "ADAPTER_SIZE_THIRTY_TWO"}}}, "INVALID_ARGUMENT", "SIXTEEN"),
        ({"parent": Parent("p", "global")}, "FAILED_PRECONDITION", "global"),
        ({"parent": Parent("p", "moon")}, "INVALID_ARGUMENT", "moon"),
    ],
)
def test_bad_tuning_jobs(changes: dict[str, Any], status: str, word: str) -> None:
    """What a supervised Gemini job cannot have is refused, naming it."""
    found, message = refusal(tuning, **changes)
    assert found == status and word in message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["train_steps", "location", "evaluation_data_uri", "dataset_uri", "project"]), JSON)
def test_any_parameter_value_is_read_or_refused(key: str, value: Any) -> None:
    """No value of a pipeline parameter makes the parser fail in another way than a refusal."""
    try:
        pipeline(**{key: value})
    except GoogleError as error:
        assert error.status == "INVALID_ARGUMENT"


@given(st.sampled_from(["baseModel", "supervisedTuningSpec", "labels", "tunedModelDisplayName"]), JSON)
def test_any_tuning_field_is_read_or_refused(key: str, value: Any) -> None:
    """No value of a tuning job's field makes the parser fail in another way than a refusal."""
    try:
        tuning(**{key: value})
    except GoogleError as error:
        assert error.status in ("INVALID_ARGUMENT", "UNIMPLEMENTED")
