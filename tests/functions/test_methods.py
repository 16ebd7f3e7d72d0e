"""The choice of a method, and the requests that each method sends."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from droptune.errors import Refused
from droptune.events import DatasetReady, Format, StoredFile
from droptune.methods import METHODS, choose
from droptune.methods.base import Job, Method
from droptune.methods.catalogue import base_models
from droptune.plan import Answer, Question, plan
from droptune.request import Request
from droptune.settings import Settings

CASES = Path(__file__).parents[1] / "cases" / "plans"
SETTINGS = Settings(
    project="p",
    region="us-central1",
    intake_bucket="p-intake",
    runs_bucket="p-runs",
    vertex_endpoint="https://{region}-aiplatform.googleapis.com",
)


def ready(fmt: Format, request: Request, rows: int = 700) -> DatasetReady:
    choice = choose(fmt, request)
    return DatasetReady(
        run_id="banking-0a1b2c3d",
        dataset="banking",
        files={
            "train": StoredFile(bucket="p-intake", name="banking/train.jsonl", generation=1, rows=rows, size_bytes=9),
            "eval": StoredFile(bucket="p-intake", name="banking/eval.jsonl", generation=2, rows=150, size_bytes=9),
        },
        format=fmt,
        method=choice.method.name,
        base_model=choice.base_model.name,
        request=request,
        train_characters=40_000,
        report_uri="gs://p-runs/banking-0a1b2c3d/report.json",
    )


@pytest.mark.parametrize(
    ("fmt", "request_", "expected"),
    [
        ("text", Request(), ("palm_text_sft", "text-bison@002")),
        ("gemini_contents", Request(), ("gemini_sft", "gemini-2.5-flash")),
        ("gemini_messages", Request(), ("gemini_sft", "gemini-1.0-pro-002")),
        ("gemini_contents", Request(base_model="gemini-2.5-pro"), ("gemini_sft", "gemini-2.5-pro")),
    ],
)
def test_the_format_and_the_wishes_choose_the_method(fmt: Format, request_: Request, expected: tuple[str, str]) -> None:
    """Without a wish the format decides; a wish decides within what the format allows."""
    choice = choose(fmt, request_)
    assert (choice.method.name, choice.base_model.name) == expected


@pytest.mark.parametrize(
    ("fmt", "request_", "says"),
    [
        ("preference", Request(), "cannot be tuned"),
        ("chat", Request(), "cannot be tuned"),
        ("text", Request(base_model="gemini-2.5-flash"), "cannot be tuned with base_model gemini-2.5-flash"),
        ("text", Request(base_model="gpt-4"), "not in the catalogue"),
        ("text", Request(method="alchemy"), "not available; available: palm_text_sft"),
        ("gemini_contents", Request(train_steps=5), "has no train_steps"),
        ("text", Request(adapter_size=4), "has no adapter_size"),
        ("text", Request(train_steps=5, epochs=2), "exclude each other"),
        ("gemini_contents", Request(base_model="gemini-2.5-pro", adapter_size=16), "not offered"),
        ("gemini_contents", Request(base_model="gemini-3.5-flash", region="asia-east1"), "not tuned in region"),
    ],
)
def test_what_cannot_be_tuned_is_refused_saying_what_can(fmt: Format, request_: Request, says: str) -> None:
    """No wish is silently ignored, and no job is sent that would be refused."""
    with pytest.raises(Refused, match=says):
        choose(fmt, request_)


@pytest.mark.parametrize(
    ("fmt", "request_", "name"),
    [
        ("text", Request(train_steps=200, labels={"team": "cards"}), "palm_text_sft"),
        (
            "gemini_contents",
            Request(epochs=2, adapter_size=4, learning_rate_multiplier=0.5, region="europe-west4"),
            "gemini_sft",
        ),
    ],
)
def test_a_plan_is_the_body_that_the_service_documents(fmt: Format, request_: Request, name: str) -> None:
    """Golden request bodies: vertex-tuning reference, pipelineJobs and tuningJobs."""
    answer = plan(Question(dataset_ready=ready(fmt, request_)), SETTINGS)
    expected = json.loads((CASES / f"{name}.json").read_text())
    assert json.loads(msgspec.json.encode(answer)) == expected


@pytest.mark.parametrize(
    ("fmt", "request_", "steps", "epochs"),
    [
        ("text", Request(), 300, 3.43),
        ("text", Request(train_steps=50), 50, 0.57),
        ("text", Request(epochs=2), 175, 2.0),
        ("gemini_contents", Request(), 350, 4.0),
    ],
)
def test_the_forecast_follows_steps_rows_and_batch(fmt: Format, request_: Request, steps: int, epochs: float) -> None:
    """Examples seen = steps × batch; epochs = examples seen / rows."""
    forecast = plan(Question(dataset_ready=ready(fmt, request_)), SETTINGS).forecast
    assert forecast is not None
    assert (forecast.steps, forecast.epochs) == (steps, epochs)


@pytest.mark.parametrize(("steps", "interval"), [(99, None), (100, 20), (304, 60), (1000, 200)])
def test_a_long_palm_job_measures_its_loss_five_times(steps: int, interval: int | None) -> None:
    """A short one is over before anyone looks: its model is evaluated on the same rows right afterwards."""
    (request,) = plan(Question(dataset_ready=ready("text", Request(train_steps=steps))), SETTINGS).requests
    parameters = request.body["runtimeConfig"]["parameterValues"]
    assert parameters.get("evaluation_interval") == interval
    assert ("evaluation_data_uri" in parameters) == (interval is not None)
    if interval is not None:
        assert steps // interval == 5


def test_a_palm_job_is_given_no_evaluation_rows_of_another_format() -> None:
    """Rows of evaluation pipelines are for evaluating afterwards: whether tuning reads them is not documented."""
    rows = ready("text", Request(train_steps=1000))
    other = msgspec.structs.replace(rows.files["eval"], format="ground_truth")
    question = Question(dataset_ready=msgspec.structs.replace(rows, files={**rows.files, "eval": other}))
    (request,) = plan(question, SETTINGS).requests
    assert "evaluation_data_uri" not in request.body["runtimeConfig"]["parameterValues"]


def test_planning_twice_gives_the_same_request() -> None:
    """A question asked again is answered alike, so that a job is found rather than created twice."""
    question = Question(dataset_ready=ready("text", Request()))
    assert plan(question, SETTINGS) == plan(question, SETTINGS)


PIPELINE_JOB = {
    "name": "projects/1/locations/us-central1/pipelineJobs/x",
    "jobDetail": {
        "taskDetails": [
            {"taskName": "trainer", "execution": {"metadata": {}}},
            {
                "taskName": "upload-llm-model",
                "execution": {
                    "metadata": {"output:model_resource_name": " projects/1/locations/us-central1/models/5@1\n"}
                },
            },
        ]
    },
}
TUNING_JOB = {
    "name": "projects/1/locations/us-central1/tuningJobs/7",
    "tunedModel": {
        "model": "projects/1/locations/us-central1/models/5@1",
        "endpoint": "projects/1/locations/us-central1/endpoints/6",
    },
}


@pytest.mark.parametrize(
    ("fmt", "job", "endpoint"), [("text", PIPELINE_JOB, False), ("gemini_contents", TUNING_JOB, True)]
)
def test_a_finished_job_ends_the_plan_with_its_model(fmt: Format, job: dict[str, object], endpoint: bool) -> None:
    """The model's name is read where each API puts it."""
    answer = plan(Question(dataset_ready=ready(fmt, Request()), jobs=(Job(request_id="r", job=job),)), SETTINGS)
    assert answer.done
    assert answer.tuned_model is not None
    assert answer.tuned_model.model == "projects/1/locations/us-central1/models/5@1"
    assert (answer.tuned_model.endpoint is not None) == endpoint


@pytest.mark.parametrize("fmt", ["text", "gemini_contents"])
def test_a_job_that_names_no_model_is_refused(fmt: Format) -> None:
    """Success without a model is no success; the message sends the user to the job."""
    with pytest.raises(Refused, match="names no model"):
        plan(Question(dataset_ready=ready(fmt, Request()), jobs=(Job(request_id="r", job={"name": "j"}),)), SETTINGS)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda m: m.name)
def test_every_method_can_tune_its_default_models(method: Method) -> None:
    """A method's default base model is in the catalogue, of its family, and accepts that format."""
    for fmt, name in method.default_base_models.items():
        model = base_models()[name]
        assert model.family == method.family
        assert fmt in model.formats


def test_retired_models_name_a_replacement_that_is_alive() -> None:
    """Whoever is refused is told where to go."""
    for model in base_models().values():
        if model.retired is not None:
            assert model.replacement is not None
            assert base_models()[model.replacement].retired is None


def test_an_answer_survives_json() -> None:
    """The workflow passes it on as JSON."""
    answer = plan(Question(dataset_ready=ready("text", Request())), SETTINGS)
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Answer) == answer
