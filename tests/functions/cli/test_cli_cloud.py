"""The local cloud as the command line finds and starts it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from droptune.cli import main
from droptune.cli.cloud import Child, CloudError, running
from droptune.cli.connection import connect, pipeline_file

ADDRESSES = {
    "storage": "http://127.0.0.1:1",
    "pubsub": "127.0.0.1:2",
    "pubsub_rest": "http://127.0.0.1:3",
    "workflows": "http://127.0.0.1:4",
    "workflows_grpc": "127.0.0.1:5",
    "vertex": "http://127.0.0.1:6",
    "functions": "http://127.0.0.1:7",
}


def state(data: Path, pid: int) -> None:
    value = {
        "pid": pid,
        "project": "droptune-local",
        "region": "us-central1",
        "pipeline": str(pipeline_file()),
        "log": str(data / "log.jsonl"),
        "addresses": ADDRESSES,
    }
    (data / "cloud.json").write_text(json.dumps(value))


def test_a_cloud_runs_while_its_process_does(tmp_path: Path) -> None:
    """What a killed cloud left behind is not taken for one."""
    assert running(tmp_path) is None
    state(tmp_path, os.getpid())
    assert running(tmp_path) is not None
    state(tmp_path, 2**22 + 1)  # above the largest pid that Linux gives by default
    assert running(tmp_path) is None


def test_names_of_buckets_come_from_the_wiring_file(tmp_path: Path) -> None:
    """The local cloud and a project of Google Cloud differ in names and addresses only."""
    state(tmp_path, os.getpid())
    local, google = connect(tmp_path), connect(tmp_path, "my-project")
    assert (local.intake, local.runs) == ("droptune-local-intake", "droptune-local-runs")
    assert (google.intake, google.runs) == ("my-project-intake", "my-project-runs")
    assert google.storage is None and google.vertex == "https://us-central1-aiplatform.googleapis.com"
    assert local.run_folder("r") == f"{tmp_path}/storage/droptune-local-runs/r/"
    assert google.run_folder("r") == "gs://my-project-runs/r/"


def test_a_cloud_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The last words of the process are in the error; the process is gone."""
    child = Child(tmp_path / "missing.yaml", tmp_path / "data")
    try:
        with pytest.raises(CloudError, match=r"missing\.yaml"):
            list(child.starting())
    finally:
        child.stop()
    assert not child.alive()


def test_env_prints_what_a_shell_can_evaluate(tmp_path: Path) -> None:
    """The endpoint overrides of gcloud end with a slash, and its configuration folder exists."""
    state(tmp_path, os.getpid())
    out = CliRunner().invoke(main, ["env", "--data", str(tmp_path)]).stdout
    exports = dict(line.removeprefix("export ").split("=", 1) for line in out.splitlines())
    assert exports["STORAGE_EMULATOR_HOST"] == "http://127.0.0.1:1"
    assert exports["PUBSUB_EMULATOR_HOST"] == "127.0.0.1:2"
    overrides = [value for name, value in exports.items() if name.startswith("CLOUDSDK_API_ENDPOINT_OVERRIDES_")]
    assert len(overrides) == 5 and all(value.endswith("/") for value in overrides)
    assert Path(exports["CLOUDSDK_CONFIG"]).is_dir()
