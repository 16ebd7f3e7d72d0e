"""A local Vertex AI inside the test process, with stubs for its workers and model server, and a bucket to tune from."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx

from localcloud.clock import RealClock
from localcloud.vertex.server import running_vertex
from localcloud.vertex.service import Settings

HERE = Path(__file__).parent
PARENT = "projects/p/locations/us-central1"
TEMPLATE = "https://us-kfp.pkg.dev/ml-pipeline/large-language-model-pipelines/tune-large-model/v2.0.0"
STUB_MODEL_SERVER = (sys.executable, str(HERE / "stub_model_server.py"))
LAST_STATES = ("SUCCEEDED", "FAILED", "CANCELLED")


def stub_worker(mode: str = "tune") -> tuple[str, ...]:
    return (sys.executable, str(HERE / "stub_worker.py"), mode)


def until(holds: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `holds` returns once it is true: processes of their own cannot be driven by a clock."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return value


class LocalVertex:
    """The service in a thread of its own, with HTTP helpers. `stop` ends it and may be called by tests."""

    def __init__(self, settings: Settings) -> None:
        self.data = settings.data
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._ready: Future[str] = Future()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(settings),))
        self._thread.start()
        self.address = self._ready.result()
        self.http = httpx.Client(base_url=self.address, timeout=30)

    async def _serve(self, settings: Settings) -> None:
        try:
            async with running_vertex(settings, RealClock()) as address:
                self._ready.set_result(address)
                await self._stopping.wait()
        except OSError as error:
            self._ready.set_exception(error)

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._loop.close()
            self.http.close()

    def get(self, path: str, **query: str) -> Any:
        return self.http.get(f"/v1/{path}", params=query).raise_for_status().json()

    def post(self, path: str, body: Any = None, **query: str) -> Any:
        return self.http.post(f"/v1/{path}", json=body or {}, params=query).raise_for_status().json()

    def refused(self, method: str, path: str, body: Any = None, **query: str) -> tuple[str, str]:
        """(status, message) of a request that must fail."""
        response = self.http.request(method, f"/v1/{path}", json=body, params=query)
        assert response.is_error, response.text
        error = response.json()["error"]
        assert error["code"] == response.status_code
        return error["status"], error["message"]

    def state(self, job: str) -> str:
        return str(self.get(job)["state"]).rpartition("_STATE_")[2]

    def wait(self, job: str, *states: str) -> Any:
        """The job once it is in one of `states`, or in any last state."""
        until(lambda: self.state(job) in (states or LAST_STATES))
        return self.get(job)

    def tune(self, uri: str, **changes: Any) -> Any:
        """A new tuningJob over the rows at `uri`."""
        spec = {"trainingDatasetUri": uri, "hyperParameters": {"epochCount": 2}}
        body = {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": spec, "tunedModelDisplayName": "mine"}
        return self.post(f"{PARENT}/tuningJobs", {**body, **changes})


class Bucket:
    """A bucket of the test's own in the storage emulator."""

    def __init__(self, storage_address: str) -> None:
        self.name = f"b-{uuid.uuid4().hex[:12]}"
        self._http = httpx.Client(base_url=storage_address)
        self._http.post("/storage/v1/b", params={"project": "p"}, json={"name": self.name}).raise_for_status()

    def write(self, name: str, text: str) -> str:
        path = f"/upload/storage/v1/b/{self.name}/o"
        self._http.post(path, params={"uploadType": "media", "name": name}, content=text).raise_for_status()
        return f"gs://{self.name}/{name}"

    def write_rows(self, name: str, count: int) -> str:
        """Text rows that a PaLM model takes."""
        rows = [{"input_text": f"question {i}", "output_text": f"answer {i}"} for i in range(count)]
        return self.write(name, "".join(json.dumps(row) + "\n" for row in rows))

    def read(self, uri: str) -> str:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        quoted = name.replace("/", "%2F")
        return self._http.get(f"/download/storage/v1/b/{bucket}/o/{quoted}?alt=media").raise_for_status().text


StartVertex = Callable[..., LocalVertex]


def pipeline_body(train_uri: str, output: str, **parameters: Any) -> dict[str, Any]:
    values = {
        "project": "p",
        "location": "us-central1",
        "model_display_name": "mine",
        "dataset_uri": train_uri,
        "large_model_reference": "text-bison@002",
        "train_steps": 3,
    }
    return {
        "displayName": "tuning",
        "templateUri": TEMPLATE,
        "runtimeConfig": {"gcsOutputDirectory": output, "parameterValues": {**values, **parameters}},
    }
