"""gcloud ai, unmodified, against the local Vertex AI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from vertex_harness import Bucket, LocalVertex

GCLOUD = shutil.which("gcloud")


@pytest.mark.skipif(GCLOUD is None, reason="gcloud is not installed")
def test_models_and_endpoints(vertex: LocalVertex, bucket: Bucket, tmp_path: Path) -> None:
    """gcloud lists the tuned model and its endpoint."""
    job = vertex.wait(vertex.tune(bucket.write_rows("a.jsonl", 12))["name"])
    environment = {
        **os.environ,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": f"{vertex.address}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": "p",
        "CLOUDSDK_AI_REGION": "us-central1",
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
    }

    def gcloud(*arguments: str) -> Any:
        command = [str(GCLOUD), "ai", *arguments, "--region=us-central1", "--format=json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    (model,) = gcloud("models", "list")
    assert f"{model['name']}@1" == job["tunedModel"]["model"]
    (endpoint,) = gcloud("endpoints", "list")
    assert endpoint["name"] == job["tunedModel"]["endpoint"]
