"""Cloud Storage, Pub/Sub, Vertex AI and the `plan` function as `tune.yaml` sees them: HTTP answers from memory.

`plan` is the real one. Faults are asked for by `fail(method, part of url, status, times)`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from droptune.errors import Refused
from droptune.plan import Question, plan
from droptune.settings import Settings
from localcloud.workflows.errors import connection_error
from localcloud.workflows.running.http_client import HttpReply, HttpRequest

PLAN = "http://functions/plan/"
STORAGE = "http://storage"
PUBSUB = "http://pubsub"
VERTEX = "http://vertex"
ENVIRONMENT = {
    "PLAN_URL": PLAN,
    "RUNS_BUCKET": "p-runs",
    "STORAGE_ENDPOINT": STORAGE,
    "PUBSUB_ENDPOINT": PUBSUB,
}
SETTINGS = Settings(
    project="p", region="us-central1", intake_bucket="p-intake", runs_bucket="p-runs", vertex_endpoint=VERTEX
)
LOST = 0  # the request is carried out, and its reply never arrives


@dataclass
class Fault:
    method: str
    part: str
    status: int
    times: int
    body: dict[str, Any] = field(default_factory=dict)


@dataclass
class CloudDouble:
    """`states` are what a job's successive readings show; the last one stays."""

    states: list[str]
    error: dict[str, Any] | None = None
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unauthorised: list[str] = field(default_factory=list)

    def fail(self, method: str, part: str, status: int, times: int = 1, **body: Any) -> None:
        self.faults.append(Fault(method, part, status, times, body))

    def topics(self) -> list[str]:
        return [message["type"] for message in self.messages]

    async def send(self, request: HttpRequest) -> HttpReply:
        if "Authorization" not in {name.title() for name in request.headers}:
            self.unauthorised.append(request.url)
        fault = next(
            (f for f in self.faults if f.times > 0 and f.method == request.method and f.part in request.url), None
        )
        if fault is not None:
            fault.times -= 1
            if fault.status != LOST:
                return _reply(fault.status, fault.body)
        reply = self._answer(request)
        if fault is not None:
            raise connection_error("the connection broke before the reply")
        return reply

    def _answer(self, request: HttpRequest) -> HttpReply:
        for prefix, handler in self._handlers().items():
            if request.url.startswith(prefix):
                return handler(request)
        raise AssertionError(f"unexpected request {request.method} {request.url}")

    def _handlers(self) -> dict[str, Callable[[HttpRequest], HttpReply]]:
        return {
            PLAN: self._plan,
            f"{STORAGE}/upload": self._create_object,
            STORAGE: self._read_object,
            PUBSUB: self._publish,
            VERTEX: self._vertex,
        }

    def _plan(self, request: HttpRequest) -> HttpReply:
        try:
            answer = plan(msgspec.json.decode(request.body, type=Question), SETTINGS)
        except Refused as error:
            return _reply(400, {"error": {"code": 400, "message": str(error)}})
        return _reply(200, msgspec.to_builtins(answer))

    def _create_object(self, request: HttpRequest) -> HttpReply:
        query = parse_qs(urlsplit(request.url).query)
        assert query["uploadType"] == ["multipart"]
        assert query["ifGenerationMatch"] == ["0"]
        boundary = next(v for k, v in request.headers.items() if k.lower() == "content-type").partition("boundary=")[2]
        parts = [part for part in request.body.decode().split(f"--{boundary}") if "\r\n\r\n" in part]
        metadata, content = (json.loads(part.partition("\r\n\r\n")[2]) for part in parts)
        if metadata["name"] in self.objects:
            return _reply(412, {"error": {"code": 412}})
        self.objects[metadata["name"]] = content
        return _reply(200, metadata)

    def _read_object(self, request: HttpRequest) -> HttpReply:
        name = unquote(urlsplit(request.url).path.rpartition("/o/")[2])
        if name not in self.objects:
            return _reply(404, {"error": {"code": 404}})
        return _reply(200, self.objects[name])

    def _publish(self, request: HttpRequest) -> HttpReply:
        (message,) = json.loads(request.body)["messages"]
        fact = json.loads(base64.b64decode(message["data"]))
        assert urlsplit(request.url).path.endswith(f"/topics/{fact['type']}:publish")
        assert message["attributes"]["ce-type"] == fact["type"]
        self.messages.append(fact)
        return _reply(200, {"messageIds": ["1"]})

    def _vertex(self, request: HttpRequest) -> HttpReply:
        url = urlsplit(request.url)
        api = "pipelineJobs" if "pipelineJobs" in url.path else "tuningJobs"
        last = url.path.partition(f"/{api}")[2]
        query = parse_qs(url.query)
        if request.method == "POST" and last.endswith(":cancel"):
            self.cancelled.append(last)
            return _reply(200, {})
        if request.method == "POST":
            return self._create_job(api, json.loads(request.body), query)
        if not last:
            wanted = query["filter"][0].partition("=")[2].strip('"')
            found = [job for job in self.jobs.values() if job["labels"].get("droptune-request") == wanted]
            return _reply(200, {"tuningJobs": found} if found else {})
        job = self.jobs.get(last[1:])
        if job is None:
            return _reply(404, {"error": {"code": 404, "message": "no such job"}})
        if "error" in query["fields"][0] and "," in query["fields"][0] and query["fields"] == ["name,state,error"]:
            job["state"] = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            if self.error is not None and job["state"].endswith("FAILED"):
                job["error"] = self.error
        return _reply(200, job)

    def _create_job(self, api: str, body: dict[str, Any], query: dict[str, list[str]]) -> HttpReply:
        number = query["pipelineJobId"][0] if api == "pipelineJobs" else str(1000 + len(self.jobs))
        if number in self.jobs:
            return _reply(409, {"error": {"code": 409, "message": "exists"}})
        parent = "projects/1/locations/us-central1"
        job: dict[str, Any] = {"name": f"{parent}/{api}/{number}", "labels": body["labels"], "state": "QUEUED"}
        model = f"{parent}/models/5@1"
        if api == "tuningJobs":
            job["tunedModel"] = {"model": model, "endpoint": f"{parent}/endpoints/6"}
        else:
            task = {"taskName": "upload-llm-model", "execution": {"metadata": {"output:model_resource_name": model}}}
            job["jobDetail"] = {"taskDetails": [task]}
        self.jobs[number] = job
        self.created.append(job["name"])
        return _reply(200, job)


def _reply(status: int, body: Any) -> HttpReply:
    return HttpReply(status, {"Content-Type": "application/json"}, json.dumps(body).encode())
