"""Supervised tuning of PaLM text models: one pipeline job from Google's template.

Source: "Tune text models by using supervised tuning", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..events import DatasetReady
from ..settings import Settings
from .arithmetic import GPU_REGION, epochs_of, examples_seen, steps_for
from .base import CHARACTERS_PER_TOKEN, Forecast, JobRequest, Method, Plan, TunedModel, cost, price_of, resource_labels
from .base import training_tokens as count_training_tokens
from .catalogue import BaseModel

TEMPLATE = "https://us-kfp.pkg.dev/ml-pipeline/large-language-model-pipelines/tune-large-model/v2.0.0"
DEFAULT_TRAIN_STEPS = 300
# A job's own evaluation shows how a long job goes on. A short one is over before anyone looks, and its model is
# evaluated on the same rows right afterwards.
LEAST_STEPS_TO_EVALUATE = 100
EVALUATIONS = 5
UPLOAD_TASKS = ("upload-llm-model", "upload-model")
FIELDS = "name,state,error,jobDetail/taskDetails(taskName,execution(schemaTitle,metadata))"


def build(ready: DatasetReady, base_model: BaseModel, settings: Settings) -> Plan:
    """One pipeline job; `train_steps` is asked for, or follows from `epochs`, or is the template's 300."""
    request = ready.request
    rows = ready.files["train"].rows
    batch = base_model.batch_sizes[GPU_REGION]  # the template's default accelerator
    if request.train_steps is not None:
        steps = request.train_steps
    elif request.epochs is not None:
        steps = steps_for(rows, request.epochs, batch)
    else:
        steps = DEFAULT_TRAIN_STEPS
    region = request.region or settings.region
    request_id = f"{ready.run_id}-1"
    parameters: dict[str, Any] = {
        "project": settings.project,
        "location": region,
        "model_display_name": ready.run_id,
        "dataset_uri": ready.files["train"].uri,
        "large_model_reference": base_model.name,
        "train_steps": steps,
        "learning_rate_multiplier": request.learning_rate_multiplier or 1.0,
    }
    evaluation = ready.files["eval"]
    tuning = base_model.methods["palm_text_sft"]
    # Rows of a format of their own are those of evaluation pipelines.
    taken = tuning.takes_rows("eval", evaluation.rows) and evaluation.format is None
    if steps >= LEAST_STEPS_TO_EVALUATE and taken:
        parameters["evaluation_data_uri"] = evaluation.uri
        parameters["evaluation_interval"] = steps // EVALUATIONS
        parameters["enable_early_stopping"] = False  # the plan's steps are what was asked for and forecast
    body = {
        "displayName": ready.run_id,
        "labels": resource_labels(ready, request_id),
        "templateUri": TEMPLATE,
        "runtimeConfig": {
            "gcsOutputDirectory": f"gs://{settings.runs_bucket}/{ready.run_id}/pipeline",
            # The default goes on until nothing more can run, so that a doomed job bills for hours.
            "failurePolicy": "PIPELINE_FAILURE_POLICY_FAIL_FAST",
            "parameterValues": parameters,
        },
    }
    epochs = epochs_of(steps, rows, batch)
    tokens = count_training_tokens(ready, epochs)
    collection = f"{settings.vertex(region)}/v1/projects/{settings.project}/locations/{region}/pipelineJobs"
    return Plan(
        requests=(JobRequest(id=request_id, api="pipelineJobs", collection_url=collection, body=body, fields=FIELDS),),
        forecast=Forecast(
            steps=steps,
            batch_size=batch,
            examples_seen=examples_seen(steps, batch),
            epochs=round(epochs, 2),
            training_tokens=tokens,
            characters_per_token=CHARACTERS_PER_TOKEN,
            usd=cost(tokens, price_of(base_model, "palm_text_sft")),
            price_as_of=None,
        ),
    )


def outcome(job: Mapping[str, Any]) -> TunedModel:
    """The model that the pipeline's upload task registered; its endpoint is found through the model."""
    tasks = job.get("jobDetail", {}).get("taskDetails", [])
    uploads = [task for task in tasks if task.get("taskName") in UPLOAD_TASKS]
    roots = [task for task in tasks if task.get("execution", {}).get("schemaTitle") == "system.Run"]
    for candidates in (uploads, roots):
        if len(candidates) == 1:
            name = candidates[0].get("execution", {}).get("metadata", {}).get("output:model_resource_name", "")
            if name.strip():
                return TunedModel(model=name.strip())
    raise Refused(f"pipeline job {job.get('name')} succeeded but names no model; look at its tasks in the console")


PALM_TEXT_SFT = Method(
    name="palm_text_sft",
    family="palm_text",
    wishes=frozenset({"train_steps", "epochs", "learning_rate_multiplier"}),
    build=build,
    outcome=outcome,
)
