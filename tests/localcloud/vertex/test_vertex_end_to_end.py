"""The whole service with its real worker and model server, on a base model of random weights."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import httpx
from vertex_harness import PARENT, Bucket, until

from localcloud.vertex.tiny_base import make_tiny_base

WORDS = {
    "weather": "rain sun storm cloud wind",
    "money": "card bank loan cash fee",
    "food": "bread soup apple rice tea",
}


def rows(count: int, seed: int) -> list[tuple[str, str]]:
    """Sentences and the topic of the one word in them that has one."""
    dice = random.Random(seed)
    topics = [dice.choice(list(WORDS)) for _ in range(count)]
    return [(f"please tell me about {dice.choice(WORDS[topic].split())} today", topic) for topic in topics]


def contents(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [{"text": text}]}]


def test_a_tuned_model_really_learns(start_service: Any, storage_address: str, bucket: Bucket, tmp_path: Path) -> None:
    """A job tunes all weights of a tiny base; its endpoint then names the topics that the base cannot name."""
    train, held_out = rows(80, seed=1), rows(12, seed=2)
    base = make_tiny_base(tmp_path / "base", [f"{text} {topic}" for text, topic in train])
    lines = [
        json.dumps({"contents": [*contents(text), {"role": "model", "parts": [{"text": topic}]}]})
        for text, topic in train
    ]
    service = start_service(
        "vertex", "--base-model", str(base), "--tuning-mode", "full", STORAGE_EMULATOR_HOST=storage_address
    )
    http = httpx.Client(base_url=service.addresses["rest"] + "/v1", timeout=120)

    def post(path: str, body: Any) -> Any:
        return http.post(path, json=body).raise_for_status().json()

    spec = {"trainingDatasetUri": bucket.write("t.jsonl", "\n".join(lines)), "hyperParameters": {"epochCount": 6}}
    name = post(f"{PARENT}/tuningJobs", {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": spec})["name"]
    job = until(lambda: _ended(http.get(name).raise_for_status().json()), seconds=120)
    assert job["state"] == "JOB_STATE_SUCCEEDED", job
    losses = [json.loads(line)["/train_total_loss"] for line in bucket.read(job["gcsMetricsUri"]).splitlines()]
    assert len(losses) >= 60 and losses[-1] < losses[0] / 4
    assert http.get(job["tunedModel"]["model"]).json()["labels"]["local-base-model"] == "tiny"

    def ask(target: str, text: str, config: dict[str, Any]) -> str:
        answer = post(f"{target}:generateContent", {"contents": contents(text), "generationConfig": config})
        return str(answer["candidates"][0]["content"]["parts"][0]["text"])

    def right(target: str, config: dict[str, Any]) -> int:
        return sum(ask(target, text, config) == topic for text, topic in held_out)

    endpoint = job["tunedModel"]["endpoint"]
    free = {"maxOutputTokens": 8}
    choice = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": list(WORDS)}}
    assert right(endpoint, free) >= 10 and right(endpoint, choice) >= 10
    assert right(f"{PARENT}/publishers/google/models/gemini-2.5-flash", free) == 0


def _ended(job: Any) -> Any:
    return job if job["state"].rpartition("_")[2] in ("SUCCEEDED", "FAILED", "CANCELLED") else None
