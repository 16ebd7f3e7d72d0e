"""Ledgers of runs at every point of their story, and a bucket that holds them."""

from __future__ import annotations

import json
from typing import Any

from droptune.cli.ledger import Entry
from droptune.cli.reader import RunsReader
from droptune.cli.story import Story, tell

RUN = "banking10-1a2b3c4d"
BEGAN = 1_763_720_000.0  # 2025-11-21 10:13:20Z
JOB = "projects/droptune-local/locations/us-central1/pipelineJobs/banking10-1a2b3c4d-1"
MODEL = "projects/droptune-local/locations/us-central1/models/4711@1"
ENDPOINT = "projects/droptune-local/locations/us-central1/endpoints/66"

REPORT: dict[str, Any] = {
    "version": 1,
    "run_id": RUN,
    "dataset": "banking10",
    "status": "ready",
    "format": "text",
    "method": "palm_text_sft",
    "base_model": "text-bison@002",
    "files": [
        {
            "role": "train",
            "name": "banking10/train.jsonl",
            "generation": 1763720000000000,
            "rows": 700,
            "bytes": 71312,
        },
        {
            "role": "eval",
            "name": "banking10/eval.jsonl",
            "generation": 1763719999000000,
            "rows": 150,
            "bytes": 14739,
        },
    ],
    "counts": {"errors": 0, "warnings": 1, "notes": 0},
    "findings": [
        {
            "code": "DUPLICATE-ROW",
            "severity": "warning",
            "message": "The row repeats another one.",
            "fix": "Remove one of them.",
            "file": "banking10/train.jsonl",
            "line": 12,
        }
    ],
    "statistics": {"train": {"rows": 700}},
    "missing": [],
}
REJECTED: dict[str, Any] = REPORT | {
    "status": "rejected",
    "method": None,
    "base_model": None,
    "counts": {"errors": 1, "warnings": 0, "notes": 0},
    "findings": [
        {
            "code": "TEXT-EMPTY-OUTPUT",
            "severity": "error",
            "message": "`output_text` is an empty string.",
            "fix": "Fill in the answer or remove the row.",
            "file": "banking10/train.jsonl",
            "line": 3,
            "pointer": "/output_text",
            "found": "an empty string",
            "allowed": "a text",
            "excerpt": "{}",
        }
    ],
}
WAITING = REPORT | {"status": "waiting", "method": None, "missing": ["train.jsonl"], "findings": [], "files": []}
CLAIM = {"execution": "projects/1/locations/us-central1/workflows/tune/executions/e", "claimed": BEGAN + 1}
PLAN = {
    "done": False,
    "stage": 1,
    "requests": [{"id": f"{RUN}-1", "api": "pipelineJobs"}],
    "forecast": {
        "steps": 50,
        "batch_size": 8,
        "examples_seen": 400,
        "epochs": 0.57,
        "training_tokens": 7450,
        "characters_per_token": 4.0,
        "usd": None,
        "price_as_of": None,
    },
}
JOB_1 = {
    "request_id": f"{RUN}-1",
    "name": JOB,
    "api": "pipelineJobs",
    "url": f"http://127.0.0.1:6/v1/{JOB}",
    "created": 1,
}
FAILED = {"type": "tuning-failed", "run_id": RUN, "failure": {"code": "INVALID_ARGUMENT", "message": "no such column"}}
TUNED = {"type": "tuning-succeeded", "run_id": RUN, "model": MODEL, "endpoint": ENDPOINT, "started": 1, "ended": 2}


def interval(value: float, low: float, high: float) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "rows": 150}


EVALUATION: dict[str, Any] = {
    "version": 1,
    "task": "classification",
    "metric": "exact_match",
    "rows": 150,
    "contestants": [
        {"name": "tuned", "detail": "", "metrics": {"exact_match": interval(0.92, 0.867, 0.954)}, "seconds": 6.1},
        {"name": "base zero-shot", "detail": "", "metrics": {"exact_match": interval(0, 0, 0.025)}, "seconds": 31.0},
        {"name": "base few-shot", "detail": "", "metrics": {}, "refused": "the service has no room"},
        {"name": "base label-scored", "detail": "", "metrics": {"exact_match": interval(0.58, 0.5, 0.656)}},
    ],
    "comparison": {"baseline": "base label-scored", "test": "mcnemar", "p_value": 0.00001, "difference": 0.34},
    "verdict": "approved",
    "reason": "exact match is 0.34 above the best baseline (p < 0.001).",
    "model": MODEL,
    "endpoint": ENDPOINT,
}
LOST = EVALUATION | {"verdict": "rejected", "reason": "exact match is not above the best baseline."}
REGISTERED = {"version": 1, "model": MODEL, "aliases": ["challenger", "champion"], "replaced": None, "rollback": []}

# What a successful run leaves, and seconds since BEGAN.
STORY: dict[str, tuple[float, Any]] = {
    "report.json": (0.4, REPORT),
    "claim.json": (0.6, CLAIM),
    "plan.json": (0.8, PLAN),
    "job-1.json": (0.9, JOB_1),
    "tuned.json": (65.0, TUNED),
    "evaluation.json": (110.0, EVALUATION),
    "registered.json": (110.5, REGISTERED),
    "notified-model-registered.json": (110.7, {}),
}


def ledger(**objects: Any) -> dict[str, Entry]:
    """Entries for objects named with ``_`` for ``-`` and no ending, in the order given: ``job_1=JOB_1``."""
    names = [name.replace("_", "-") + ".json" for name in objects]
    times = {name: STORY[name][0] if name in STORY else 120.0 + i for i, name in enumerate(names)}
    return {
        name: Entry(name, BEGAN + times[name], json.dumps(value).encode())
        for name, value in zip(names, objects.values(), strict=True)
    }


def until(last: str, **others: Any) -> dict[str, Entry]:
    """The successful ledger up to and with the object `last`, and `others` beside or instead."""
    names = list(STORY)
    found = {n: Entry(n, BEGAN + STORY[n][0], json.dumps(STORY[n][1]).encode()) for n in names[: names.index(last) + 1]}
    return found | ledger(**others)


def story(entries: dict[str, Entry]) -> Story:
    """The story that the entries tell of `RUN`, dropped at `BEGAN`."""
    return tell(RUN, entries, BEGAN)


class FakeBucket:
    """A runs bucket in memory: `runs` maps run ids to entries; `reads` counts what was fetched."""

    def __init__(self, runs: dict[str, dict[str, Entry]]) -> None:
        self.runs = runs
        self.reads: list[str] = []

    def folders(self) -> list[str]:
        return list(self.runs)

    def list(self, folder: str) -> list[Entry]:
        return [Entry(entry.name, entry.created) for entry in self.runs.get(folder, {}).values()]

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        folder, _, rest = name.partition("/")
        return self.runs[folder][rest].data

    def created(self, name: str, generation: int) -> float | None:
        return generation / 1e6


def reader(runs: dict[str, dict[str, Entry]]) -> RunsReader:
    return RunsReader(FakeBucket(runs), FakeBucket({}))
