"""pipelineJobs requests -> TuningPlan, with the service's refusals.

Source: "Tune text models by using supervised tuning" (Vertex AI documentation). The envelope is camelCase, the
parameters are snake_case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..http import GoogleError
from .catalogue import MODELS, ContextLength, Family, template_family
from .fields import Fields, invalid
from .names import Parent
from .records import TuningPlan

REGIONS = (
    "us-central1", "europe-west4", "asia-southeast1", "us-west1", "europe-west3", "europe-west2", "asia-northeast1",
    "us-east4", "us-west4", "northamerica-northeast1", "europe-west9", "europe-west1", "asia-northeast3",
)  # fmt: skip
# The region that computes follows from the accelerator, and the batch size from both: not from the pipeline's region.
BATCH_SIZES: Mapping[tuple[str, ContextLength], int] = {
    ("GPU", "8k"): 8,
    ("GPU", "32k"): 8,
    ("TPU", "8k"): 24,
    ("TPU", "32k"): 8,
}
DEFAULT_TRAIN_STEPS = 300
DEFAULT_EVALUATION_INTERVAL = 20
ADAPTER_SIZE = 8  # Differs: the service does not say which it uses for PaLM models
BASE_MODEL_LABEL = "google-vertex-llm-tuning-base-model-id"
_JOB_ID = re.compile(r"[a-z][-a-z0-9]{0,127}")
_KMS_KEY = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")
_TENSORBOARD = re.compile(r"projects/[^/]+/locations/([^/]+)/tensorboards/[^/]+")


def check_job_id(identity: str) -> None:
    if not _JOB_ID.fullmatch(identity):
        raise invalid(f"pipelineJobId {identity!r} must match {_JOB_ID.pattern}")


def parse_pipeline_job(body: Mapping[str, Any], parent: Parent, identity: str) -> TuningPlan:
    """What a pipelineJobs.create body asks for."""
    if parent.location not in REGIONS:
        raise invalid(f"location {parent.location!r} does not tune these models; use one of {', '.join(REGIONS)}")
    job = Fields(body)
    job.refuse({"reservedIpRanges": "leave it out", "network": "leave it out", "preflightValidations": "leave it out"})
    job.display_name("displayName")
    job.labels()
    # Differs: a compiled pipelineSpec sent along (as SDKs do) is not run; the template's address decides.
    job.ignore("name", "pipelineSpec", "serviceAccount", "templateMetadata", "encryptionSpec", "scheduleName")
    if job.has("pipelineSpec") and not job.has("templateUri"):
        raise GoogleError(
            "UNIMPLEMENTED", "a pipelineSpec without templateUri: this local Vertex AI runs only tuning templates"
        )
    family = template_family(job.required_text("templateUri"))
    runtime = job.child("runtimeConfig")
    runtime.ignore("failurePolicy")  # one trainer, nothing to go on with after a failure
    output = runtime.required_gcs_uri("gcsOutputDirectory").rstrip("/")
    if runtime.has("parameters"):
        raise invalid("runtimeConfig.parameters belongs to old pipelines; use runtimeConfig.parameterValues")
    values = Fields(runtime.get("parameterValues") or {}, "runtimeConfig.parameterValues", numbers_as_text=False)
    runtime.finish()
    job.finish()
    plan = _parse_parameters(values, parent, family, f"{output}/{identity}")
    values.finish()
    return plan


def _parse_parameters(values: Fields, parent: Parent, family: Family, metrics_folder: str) -> TuningPlan:
    values.refuse({"dataset_name": "use dataset_uri with a gs:// address"})
    if values.has("learning_rate"):
        raise invalid(f"{values.path('learning_rate')} is deprecated; use learning_rate_multiplier")
    if values.has("default_context"):
        raise invalid(f"{values.path('default_context')} is for chat models only")
    base_model = values.required_text("large_model_reference")
    model = MODELS.get(base_model)
    if model is None or model.family is not family:
        allowed = ", ".join(name for name, known in MODELS.items() if known.family is family)
        raise invalid(
            f"{values.path('large_model_reference')} {base_model!r} is not a model of this template: {allowed}"
        )
    project = values.required_text("project")
    location = values.text("location", parent.location)
    if location not in REGIONS:
        raise invalid(f"{values.path('location')} {location!r} holds no tuned models; use one of {', '.join(REGIONS)}")
    accelerator = values.choice("accelerator_type", ("GPU", "TPU"), "GPU")
    context_length = values.choice("max_context_length", ("8k", "32k"), model.context_length)
    _check_encryption(values, location, accelerator)
    _check_tensorboard(values, parent.location)
    _check_checkpoint_selection(values)
    eval_uri = values.gcs_uri("evaluation_data_uri")
    interval = values.integer("evaluation_interval", least=1)
    if interval is not None and eval_uri is None:
        raise invalid(f"{values.path('evaluation_interval')} needs evaluation_data_uri")
    display_name = values.display_name("model_display_name")
    if not display_name:
        raise invalid(f"{values.path('model_display_name')} is required")
    multiplier = values.number("learning_rate_multiplier", above=0)
    return TuningPlan(
        base_model=base_model,
        train_uri=values.required_gcs_uri("dataset_uri"),
        eval_uri=eval_uri,
        steps=values.integer("train_steps", least=1) or DEFAULT_TRAIN_STEPS,
        epochs=None,
        batch_size=BATCH_SIZES[accelerator, "32k" if context_length == "32k" else "8k"],
        learning_rate_multiplier=1.0 if multiplier is None else multiplier,
        adapter_size=ADAPTER_SIZE,
        eval_interval=interval or DEFAULT_EVALUATION_INTERVAL,
        early_stopping=values.boolean("enable_early_stopping", True) and eval_uri is not None,
        display_name=display_name,
        description="",
        labels={BASE_MODEL_LABEL: base_model.replace("@", "-")},
        project=project,
        location=location,
        metrics_folder=metrics_folder,
    )


def _check_encryption(values: Fields, location: str, accelerator: str) -> None:
    # Differs: the key is checked and echoed, and nothing is encrypted.
    key = values.text("encryption_spec_key_name")
    if key and not _KMS_KEY.fullmatch(key):
        raise invalid(f"{values.path('encryption_spec_key_name')} {key!r} is not the name of a Cloud KMS key")
    if key and (location != "us-central1" or accelerator != "GPU"):
        raise invalid(f"{values.path('encryption_spec_key_name')} needs location us-central1 and accelerator_type GPU")


def _check_tensorboard(values: Fields, region: str) -> None:
    # Differs: there is no TensorBoard; metrics go to the output directory.
    name = values.text("tensorboard_resource_id")
    match = _TENSORBOARD.fullmatch(name)
    if name and match is None:
        raise invalid(f"{values.path('tensorboard_resource_id')} {name!r} is not the name of a TensorBoard instance")
    if match and match.group(1) != region:
        raise invalid(f"{values.path('tensorboard_resource_id')} lies in {match.group(1)}, the pipeline in {region}")


def _check_checkpoint_selection(values: Fields) -> None:
    # The documentation's body has it as a quoted word, the SDK sends a boolean.
    value = values.get("enable_checkpoint_selection")
    if value not in (None, False, "false", "default"):
        raise GoogleError(
            "UNIMPLEMENTED",
            f"{values.path('enable_checkpoint_selection')} {value!r} is not implemented by this local Vertex AI, which "
            "keeps the last checkpoint; send false or leave it out",
        )
