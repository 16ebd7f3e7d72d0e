"""A run of the data set "banking" for tests to start from: its settings, its files, and its facts after tuning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from droptune.events import (
    DatasetReady,
    Format,
    Interval,
    ModelApproved,
    ModelRejected,
    StoredFile,
    TuningSucceeded,
)
from droptune.ports import Objects
from droptune.request import Request
from droptune.settings import Settings

SETTINGS = Settings(
    project="p",
    region="us-central1",
    intake_bucket="p-intake",
    runs_bucket="p-runs",
    vertex_endpoint="http://127.0.0.1:1",
)
RUN = "banking-0123abcd"
MODEL = "projects/p/locations/us-central1/models/11@1"
ENDPOINT = "projects/p/locations/us-central1/endpoints/12"
BASE = "text-bison@002"

TRAIN = StoredFile(bucket="p-intake", name="banking/train.jsonl", generation=7, rows=700, size_bytes=70_000)
EVAL = StoredFile(bucket="p-runs", name=f"{RUN}/eval.jsonl", generation=8, rows=150, size_bytes=15_000)


def text_rows(pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"input_text": prompt, "output_text": answer} for prompt, answer in pairs]


def stored(objects: Objects, name: str, rows: Sequence[dict[str, Any]]) -> StoredFile:
    """The rows as a JSONL object of the intake bucket."""
    data = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    objects.create("p-intake", name, data, "application/jsonl")
    found = objects.stat("p-intake", name)
    assert found is not None
    return StoredFile(bucket="p-intake", name=name, generation=found.generation, rows=len(rows), size_bytes=len(data))


def dataset_ready(
    train: StoredFile = TRAIN, held_out: StoredFile = EVAL, fmt: Format = "text", request: Request | None = None
) -> DatasetReady:
    gemini = fmt != "text"
    return DatasetReady(
        run_id=RUN,
        dataset="banking",
        files={"train": train, "eval": held_out},
        format=fmt,
        method="gemini_sft" if gemini else "palm_text_sft",
        base_model="gemini-2.5-flash" if gemini else BASE,
        request=request or Request(),
        train_characters=60_000,
        report_uri=f"gs://p-runs/{RUN}/report.html",
    )


def tuning_succeeded(ready: DatasetReady | None = None, endpoint: str | None = ENDPOINT) -> TuningSucceeded:
    return TuningSucceeded(
        run_id=RUN,
        dataset="banking",
        dataset_ready=ready or dataset_ready(),
        job="projects/p/locations/us-central1/pipelineJobs/banking-0123abcd-1",
        model=MODEL,
        endpoint=endpoint,
        started=1000.0,
        ended=1075.0,
    )


def model_approved(ready: DatasetReady | None = None) -> ModelApproved:
    return ModelApproved(tuning_succeeded=tuning_succeeded(ready), **_outcome("better: 0.92 against 0.58"))


def model_rejected(ready: DatasetReady | None = None) -> ModelRejected:
    return ModelRejected(tuning_succeeded=tuning_succeeded(ready), **_outcome("not better: 0.61 against 0.60"))


def _outcome(reason: str) -> dict[str, Any]:
    return {
        "run_id": RUN,
        "dataset": "banking",
        "endpoint": ENDPOINT,
        "metric": "exact_match",
        "tuned": Interval(value=0.92, low=0.87, high=0.95, rows=150),
        "baseline": Interval(value=0.58, low=0.5, high=0.66, rows=150),
        "baseline_name": "base label-scored",
        "reason": reason,
        "evaluation_uri": f"gs://p-runs/{RUN}/evaluation.json",
    }
