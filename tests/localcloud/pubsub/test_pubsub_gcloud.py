"""The real gcloud against the REST port."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_gcloud_publishes_and_pulls(start_service: Callable[..., Any], tmp_path: Path) -> None:
    """topics create and publish, subscriptions create and pull --auto-ack, with nothing but an endpoint override."""
    service = start_service("pubsub")
    environment = os.environ | {
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": service.addresses["rest"] + "/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_CORE_PROJECT": "project",
    }

    def gcloud(*arguments: str) -> Any:
        command = ["gcloud", "pubsub", *arguments, "--format=json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    gcloud("topics", "create", "topic")
    gcloud("subscriptions", "create", "subscription", "--topic=topic", "--ack-deadline=20")
    published = gcloud("topics", "publish", "topic", "--message=hello", "--attribute=color=red")
    (received,) = gcloud("subscriptions", "pull", "subscription", "--auto-ack")
    assert received["message"]["data"] == "aGVsbG8="
    assert received["message"]["attributes"] == {"color": "red"}
    assert [received["message"]["messageId"]] == published["messageIds"]
