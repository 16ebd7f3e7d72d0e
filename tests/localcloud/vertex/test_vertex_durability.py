"""What is killed and started again goes on, and nothing is done twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from vertex_harness import HERE, PARENT, Bucket, StartVertex, stub_worker, until


class Process:
    """The service as a process of its own."""

    def __init__(self, data: Path, storage_address: str, mode: str) -> None:
        command = [sys.executable, str(HERE / "stub_vertex.py"), str(data), storage_address, mode]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.pid = self._process.pid
        self.http = httpx.Client(base_url=json.loads(self._process.stdout.readline())["ready"]["rest"], timeout=30)

    def get(self, path: str) -> Any:
        return self.http.get(f"/v1/{path}").raise_for_status().json()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self.http.close()


@pytest.fixture
def processes(tmp_path: Path, storage_address: str) -> Iterator[Any]:
    started: list[Process] = []

    def start(mode: str) -> Process:
        started.append(Process(tmp_path, storage_address, mode))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def create(process: Process, uri: str) -> str:
    spec = {"trainingDatasetUri": uri, "hyperParameters": {"epochCount": 2}}
    body = {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": spec}
    return str(process.http.post(f"/v1/{PARENT}/tuningJobs", json=body).raise_for_status().json()["name"])


def test_killed_server_goes_on_with_its_jobs(processes: Any, tmp_path: Path, bucket: Bucket) -> None:
    """After a kill the running job is resumed in its folder and the queued one follows; each makes one model.

    The killed server's worker ends with it, before its successor starts.
    """
    first = processes("wait")
    uri = bucket.write_rows("a.jsonl", 12)
    names = [create(first, uri), create(first, uri)]
    folders = [tmp_path / "vertex" / "jobs" / name.rpartition("/")[2] for name in names]
    starts = folders[0] / "starts"
    worker = psutil.Process(int(until(lambda: starts.exists() and starts.read_text()).split()[0]))
    first.kill()
    second = processes("wait")
    until(lambda: len(starts.read_text().split()) == 2)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    for folder in folders:
        until(folder.exists)
        (folder / "go").touch()
    until(lambda: {second.get(name)["state"] for name in names} == {"JOB_STATE_SUCCEEDED"})
    assert len(second.get(f"{PARENT}/models")["models"]) == len(second.get(f"{PARENT}/endpoints")["endpoints"]) == 2


def test_result_of_a_finished_worker_is_picked_up(processes: Any, tmp_path: Path, bucket: Bucket) -> None:
    """A worker's result that its killed server did not see is used without another run."""
    first = processes("wait")
    name = create(first, bucket.write_rows("a.jsonl", 12))
    folder = tmp_path / "vertex" / "jobs" / name.rpartition("/")[2]
    until((folder / "starts").exists)
    first.kill()
    (folder / "go").touch()
    subprocess.run([*stub_worker("tune"), str(folder)], check=True)
    second = processes("die")
    until(lambda: second.get(name)["state"] == "JOB_STATE_SUCCEEDED")


def test_stopped_server_keeps_jobs_and_models(start_vertex: StartVertex, bucket: Bucket) -> None:
    """A server that was stopped in an orderly way finds its models again and goes on with its jobs."""
    vertex = start_vertex(stub_worker("wait"))
    name = vertex.tune(bucket.write_rows("a.jsonl", 12))["name"]
    folder = vertex.data / "vertex" / "jobs" / name.rpartition("/")[2]
    until((folder / "starts").exists)
    vertex.stop()
    again = start_vertex()
    assert again.wait(name)["state"] == "JOB_STATE_SUCCEEDED"
    again.stop()
    assert start_vertex().get(f"{PARENT}/models")["models"][0]["versionId"] == "1"


def test_children_end_with_the_server(processes: Any, tmp_path: Path, bucket: Bucket) -> None:
    """A killed server leaves neither worker nor model server behind."""
    server = processes("wait")
    create(server, bucket.write_rows("a.jsonl", 12))
    body = {"instances": [{"prompt": "x"}]}
    server.http.post(f"/v1/{PARENT}/publishers/google/models/text-bison:predict", json=body).raise_for_status()
    until(lambda: list(tmp_path.glob("vertex/jobs/*/starts")))
    children = psutil.Process(server.pid).children()
    assert len(children) == 2
    server.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def test_service_does_not_import_torch() -> None:
    """Creating a job is quick because torch and transformers stay in the child processes."""
    heavy = ("torch", "transformers", "numpy")
    code = f"import sys, localcloud.vertex.server; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
