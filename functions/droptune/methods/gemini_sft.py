"""Supervised tuning of Gemini models: one tuning job.

Source: "Tune Gemini models by using supervised fine-tuning", Vertex AI documentation; projects.locations.tuningJobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..events import DatasetReady
from ..settings import Settings
from .arithmetic import steps_for
from .base import CHARACTERS_PER_TOKEN, Forecast, JobRequest, Method, Plan, TunedModel, cost, price_of, resource_labels
from .base import training_tokens as count_training_tokens
from .catalogue import BaseModel

ADAPTER_SIZES = {
    1: "ADAPTER_SIZE_ONE",
    2: "ADAPTER_SIZE_TWO",
    4: "ADAPTER_SIZE_FOUR",
    8: "ADAPTER_SIZE_EIGHT",
    16: "ADAPTER_SIZE_SIXTEEN",
    32: "ADAPTER_SIZE_THIRTY_TWO",
}
# The service picks epochs by the size of the data when none are given. Droptune always sends them, so that the
# forecast is what happens: 4 is the default row of Google's grid for 500 to 1,000 rows.
DEFAULT_EPOCHS = 4
BATCH_SIZE = 8  # not documented; used for the forecast's steps only
FIELDS = "name,state,error,tunedModel"


def build(ready: DatasetReady, base_model: BaseModel, settings: Settings) -> Plan:
    """One tuning job with the training file, and the evaluation file where the model's limits admit it."""
    request = ready.request
    region = request.region or settings.region
    request_id = f"{ready.run_id}-1"
    rows = ready.files["train"].rows
    epochs = request.epochs or DEFAULT_EPOCHS
    hyper_parameters: dict[str, Any] = {"epochCount": epochs}
    if request.learning_rate_multiplier is not None:
        hyper_parameters["learningRateMultiplier"] = request.learning_rate_multiplier
    if request.adapter_size is not None:
        hyper_parameters["adapterSize"] = ADAPTER_SIZES[request.adapter_size]
    spec: dict[str, Any] = {"trainingDatasetUri": ready.files["train"].uri, "hyperParameters": hyper_parameters}
    evaluation = ready.files["eval"]
    if base_model.methods["gemini_sft"].takes_rows("eval", evaluation.rows):
        spec["validationDatasetUri"] = evaluation.uri
    body = {
        "baseModel": base_model.name,
        "supervisedTuningSpec": spec,
        "tunedModelDisplayName": ready.run_id,
        "labels": resource_labels(ready, request_id),
    }
    steps = steps_for(rows, epochs, BATCH_SIZE)
    price = price_of(base_model, "gemini_sft")
    tokens = count_training_tokens(ready, epochs)
    collection = f"{settings.vertex(region)}/v1/projects/{settings.project}/locations/{region}/tuningJobs"
    return Plan(
        requests=(JobRequest(id=request_id, api="tuningJobs", collection_url=collection, body=body, fields=FIELDS),),
        forecast=Forecast(
            steps=steps,
            batch_size=BATCH_SIZE,
            examples_seen=rows * epochs,
            epochs=float(epochs),
            training_tokens=tokens,
            characters_per_token=CHARACTERS_PER_TOKEN,
            usd=cost(tokens, price),
            price_as_of=price.as_of if price else None,
        ),
    )


def outcome(job: Mapping[str, Any]) -> TunedModel:
    """Model version and endpoint as the job reports them."""
    tuned = job.get("tunedModel", {})
    if not tuned.get("model"):
        raise Refused(f"tuning job {job.get('name')} succeeded but names no model; look at it in the console")
    return TunedModel(model=tuned["model"], endpoint=tuned.get("endpoint"))


GEMINI_SFT = Method(
    name="gemini_sft",
    family="gemini",
    wishes=frozenset({"epochs", "learning_rate_multiplier", "adapter_size"}),
    build=build,
    outcome=outcome,
)
