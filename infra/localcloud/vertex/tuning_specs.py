"""tuningJobs requests -> TuningPlan, with the service's refusals.

Source: projects.locations.tuningJobs (v1, v1beta1) and "About supervised fine-tuning for Gemini models".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..http import GoogleError
from .catalogue import GEMINI, MODELS
from .fields import Fields, invalid
from .names import Parent
from .pipeline_specs import BASE_MODEL_LABEL
from .records import TuningPlan

BATCH_SIZE = 8
DEFAULT_EPOCHS = 4  # Differs: the service chooses by the size of the data
DEFAULT_ADAPTER_SIZE = 8  # Differs: the service has a default per model
EVALUATION_INTERVAL_STEPS = 20
TUNE_TYPE_LABEL = "tune-type"
JOB_LABEL = "google-vertex-llm-tuning-job-id"

# Enum names, and the numbers that REST clients of the generated libraries send in their place (not in order of size).
ADAPTER_SIZES: Mapping[str, int] = {
    "ADAPTER_SIZE_ONE": 1,
    "ADAPTER_SIZE_TWO": 2,
    "ADAPTER_SIZE_FOUR": 4,
    "ADAPTER_SIZE_EIGHT": 8,
    "ADAPTER_SIZE_SIXTEEN": 16,
    "ADAPTER_SIZE_THIRTY_TWO": 32,
}
_ADAPTER_SIZE_NUMBERS: Mapping[int, int] = {1: 1, 2: 4, 3: 8, 4: 16, 5: 32, 6: 2}
UNTRAINED_SPECS: Mapping[str, str] = {
    "preferenceOptimizationSpec": "preference tuning",
    "distillationSpec": "distillation",
    "reinforcementTuningSpec": "reinforcement tuning",
    "partnerModelTuningSpec": "tuning of partner models",
    "veoTuningSpec": "tuning of video models",
}
_OPEN_MODELS_ONLY = ("tuningMode", "learningRate", "batchSize")
_REGION = re.compile(r"[a-z]+-[a-z]+\d+")


def parse_tuning_job(body: Mapping[str, Any], parent: Parent, identity: str, metrics_bucket: str) -> TuningPlan:
    """What a tuningJobs.create body asks for."""
    if parent.location == "global":
        raise GoogleError("FAILED_PRECONDITION", "location global does not tune Gemini models; use a region")
    if not _REGION.fullmatch(parent.location):
        raise invalid(f"location {parent.location!r} is not a region; they look like us-central1")
    job = Fields(body)
    for key, method in UNTRAINED_SPECS.items():
        if job.has(key):
            raise GoogleError(
                "UNIMPLEMENTED",
                f"{key}: {method} is known but this local Vertex AI has no trainer for it yet; it trains "
                "supervisedTuningSpec",
            )
    job.refuse(
        {
            "preTunedModel": "start from a baseModel",
            "customBaseModel": "start the local cloud with another base model instead",
            "outputUri": "it belongs to open models; leave it out",
        }
    )
    # Differs: nothing is encrypted, and no service account is used.
    job.ignore("name", "encryptionSpec", "serviceAccount")
    model = _base_model(job.required_text("baseModel"))
    if not job.has("supervisedTuningSpec"):
        raise invalid("one tuning spec is required: supervisedTuningSpec")
    spec = job.child("supervisedTuningSpec")
    spec.refuse({"evaluationConfig": "evaluate the tuned endpoint yourself"})
    # Differs: only the last checkpoint is ever exported, as with exportLastCheckpointOnly.
    spec.boolean("exportLastCheckpointOnly", True)
    parameters = spec.child("hyperParameters")
    for fields, keys in ((spec, _OPEN_MODELS_ONLY[:1]), (parameters, _OPEN_MODELS_ONLY[1:])):
        for key in keys:
            if fields.has(key):
                raise invalid(f"{fields.path(key)} is for open models; {model} does not take it")
    epochs = parameters.integer("epochCount", least=1)
    multiplier = parameters.number("learningRateMultiplier", above=0)
    adapter_size = _adapter_size(parameters, model)
    parameters.finish()
    eval_uri = spec.gcs_uri("validationDatasetUri")
    train_uri = spec.required_gcs_uri("trainingDatasetUri")
    spec.finish()
    labels = job.labels()
    display_name = job.display_name("tunedModelDisplayName", f"tuned-{model}")
    description = job.text("description")
    job.finish()
    return TuningPlan(
        base_model=model,
        train_uri=train_uri,
        eval_uri=eval_uri,
        steps=None,
        epochs=epochs or DEFAULT_EPOCHS,
        batch_size=BATCH_SIZE,
        learning_rate_multiplier=1.0 if multiplier is None else multiplier,
        adapter_size=adapter_size,
        eval_interval=EVALUATION_INTERVAL_STEPS,
        early_stopping=False,
        display_name=display_name,
        description=description,
        labels={
            **labels,
            BASE_MODEL_LABEL: model.replace(".", "-").replace("@", "-"),
            JOB_LABEL: identity,
            TUNE_TYPE_LABEL: "sft",
        },
        project=parent.project,
        location=parent.location,
        metrics_folder=f"gs://{metrics_bucket}/{identity}",
    )


def _base_model(reference: str) -> str:
    name = reference.rpartition("publishers/google/models/")[2]
    model = MODELS.get(name)
    if model is None or model.family is not GEMINI:
        allowed = ", ".join(name for name, known in MODELS.items() if known.family is GEMINI)
        raise invalid(f"baseModel {reference!r} cannot be tuned by a tuningJob; allowed: {allowed}")
    return name


def _adapter_size(parameters: Fields, model: str) -> int:
    value = parameters.get("adapterSize")
    if value in (None, 0, "ADAPTER_SIZE_UNSPECIFIED"):
        return DEFAULT_ADAPTER_SIZE
    known = ADAPTER_SIZES.get(value) if isinstance(value, str) else _ADAPTER_SIZE_NUMBERS.get(value)
    allowed = MODELS[model].adapter_sizes
    if known not in allowed:
        names = ", ".join(name for name, size in ADAPTER_SIZES.items() if size in allowed)
        raise invalid(f"{parameters.path('adapterSize')} {value!r} is not possible for {model}; allowed: {names}")
    return known
