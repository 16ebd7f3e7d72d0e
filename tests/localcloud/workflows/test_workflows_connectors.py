"""Connectors, case by case: the requests they make and what becomes of the answers (tests/cases/connectors)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from workflows_stub import StubHttp

from localcloud.clock import ManualClock
from localcloud.workflows import HttpRequest, WorkflowError, parse, run_source
from localcloud.workflows.values import equal

FOLDER = Path(__file__).parents[2] / "cases" / "connectors"
SAMPLES: dict[str, list[list[Any]]] = yaml.safe_load((FOLDER / "samples.yaml").read_text(encoding="utf-8"))
CALLS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "calls.yaml").read_text(encoding="utf-8"))
_KEYS = {"name", "call", "args", "http", "result", "error", "elapsed"}


def definition(call: str, args: dict[str, Any]) -> str:
    """A workflow that returns what one connector gives."""
    steps = [{"call": {"call": f"googleapis.{call}", "args": args, "result": "r"}}, {"done": {"return": "${r}"}}]
    return json.dumps(steps)


@pytest.mark.parametrize(
    ("name", "form"),
    [pytest.param(name, form, id=f"{name} {i}") for name, forms in SAMPLES.items() for i, form in enumerate(forms)],
)
def test_calls_of_public_samples_can_be_deployed(name: str, form: list[Any]) -> None:
    """Every connector that the vendor's samples call exists, and takes the arguments that they pass."""
    args: dict[str, Any] = {}
    for item in form:
        args |= (
            {item: "x"} if isinstance(item, str) else {key: dict.fromkeys(inner, "x") for key, inner in item.items()}
        )
    parse(definition(name, args))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CALLS])
def test_call(case: dict[str, Any]) -> None:
    """A call makes the requests of its case and gives the result, or fails with the error."""
    assert case.keys() <= _KEYS, f"unknown keys {case.keys() - _KEYS}"
    clock = ManualClock()
    start = clock.now()
    exchanges = case.get("http", [])
    http = StubHttp(clock, exchanges)
    service = case["call"].partition(".")[0]
    connectors = {service: f"http://{service}.test"}
    run = run_source(definition(case["call"], case["args"]), clock=clock, http=http, connectors=connectors)
    if "error" in case:
        with pytest.raises(WorkflowError) as failure:
            asyncio.run(run)
        _check_error(case["error"], failure.value)
    else:
        result = asyncio.run(run)
        assert equal(result, case["result"]), f"expected {case['result']!r}, found {result!r}"
    assert len(http.requests) == len(exchanges)
    for exchange, request in zip(exchanges, http.requests, strict=True):
        _check_request(exchange.get("expect", {}), request)
    if "elapsed" in case:
        assert clock.now() - start == pytest.approx(case["elapsed"])


def _check_error(expected: dict[str, Any], error: WorkflowError) -> None:
    assert expected.keys() <= {"tags", "message", "payload"}
    assert set(expected["tags"]) <= set(error.tags), error.payload
    assert expected.get("message", "") in error.payload["message"]
    for key, value in expected.get("payload", {}).items():
        assert error.payload[key] == value


def _check_request(expected: dict[str, Any], request: HttpRequest) -> None:
    assert expected.keys() <= {"method", "url", "headers", "body", "text"}
    assert expected.get("method", request.method) == request.method
    assert expected.get("url", request.url) == request.url
    for name, value in expected.get("headers", {}).items():
        assert request.headers[name] == value
    if "body" in expected:
        assert (json.loads(request.body) if request.body else None) == expected["body"]
    if "text" in expected:
        assert request.body.decode() == expected["text"]


def test_each_poll_counts_as_a_step() -> None:
    """A call that is polled too often ends with the limit of steps, as the service bills each poll as a step."""
    polling = {"timeout": 1000, "polling_policy": {"initial_delay": 0.01, "multiplier": 1}}
    delete = {"call": "googleapis.workflows.v1.projects.locations.workflows.delete"}
    steps = [
        {"count": {"for": {"value": "i", "range": [1, 99_990], "steps": [{"one": {"assign": [{"n": "${i}"}]}}]}}},
        {"poll": {**delete, "args": {"name": "w", "connector_params": polling}}},
    ]
    clock = ManualClock()
    http = StubHttp(clock, [{"reply": {"json": {"name": "o", "done": False}}}] * 20)
    with pytest.raises(WorkflowError) as failure:
        asyncio.run(run_source(json.dumps(steps), clock=clock, http=http, connectors={"workflows": "http://w.test"}))
    assert "ResourceLimitError" in failure.value.tags
    assert len(http.requests) < 10
