"""Evaluations imported to a model version. Source: projects.locations.models.evaluations (v1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..clock import Clock
from ..http import GoogleError
from .fields import Fields, invalid
from .models import Models
from .names import numeric_id
from .records import Evaluation
from .store import Store

SCHEMA_ROOT = "gs://google-cloud-aiplatform/schema/modelevaluation/"
SCHEMAS = (
    "classification_metrics_1.0.0.yaml",
    "embedding_metrics_1.0.0.yaml",
    "forecasting_metrics_1.0.0.yaml",
    "general_text_generation_metrics_1.0.0.yaml",
    "question_answering_metrics_1.0.0.yaml",
    "regression_metrics_1.0.0.yaml",
    "summarization_metrics_1.0.0.yaml",
)


class Evaluations:
    """The evaluations over the store."""

    def __init__(self, store: Store, models: Models, clock: Clock) -> None:
        self._store = store
        self._models = models
        self._clock = clock

    def import_evaluation(self, model_reference: str, body: Mapping[str, Any]) -> Evaluation:
        """Attach what ``evaluations:import`` sends. Differs: metrics are kept as sent, not held against the schema."""
        version = self._models.get(model_reference)
        request = Fields(body)
        sent = request.child("modelEvaluation")
        request.finish()
        schema_uri = sent.required_text("metricsSchemaUri")
        if schema_uri.removeprefix(SCHEMA_ROOT) not in SCHEMAS:
            allowed = ", ".join(SCHEMA_ROOT + name for name in SCHEMAS)
            raise invalid(f"modelEvaluation.metricsSchemaUri {schema_uri!r} is not known; allowed: {allowed}")
        if not isinstance(metrics := sent.get("metrics"), Mapping):
            raise invalid("modelEvaluation.metrics is required, an object as described by metricsSchemaUri")
        metadata = sent.get("metadata")
        display_name = sent.display_name("displayName")
        sent.refuse({"explanationSpecs": "leave it out", "modelExplanation": "leave it out"})
        sent.ignore("name", "createTime")
        sent.finish()
        now = self._clock.now()
        position = str(len(self._store.evaluations.list(f"{version.name}/evaluations/")))
        identity = numeric_id(version.name, display_name, position, str(now))
        evaluation = Evaluation(
            name=f"{version.name}/evaluations/{identity}",
            display_name=display_name,
            schema_uri=schema_uri,
            metrics=metrics,
            metadata=metadata,
            create_time=now,
        )
        self._store.evaluations.insert(evaluation.name, evaluation)
        return evaluation

    def get(self, model_reference: str, identity: str) -> Evaluation:
        name = f"{self._models.get(model_reference).name}/evaluations/{identity}"
        evaluation = self._store.evaluations.get(name)
        if evaluation is None:
            raise GoogleError("NOT_FOUND", f"{name} does not exist")
        return evaluation

    def list(self, model_reference: str) -> list[Evaluation]:
        return self._store.evaluations.list(f"{self._models.get(model_reference).name}/evaluations/")
