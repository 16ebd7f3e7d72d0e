"""The language, case by case: tests/cases/workflows/*.yaml. A new case needs no code.

A case has `source`, or `evaluate` for one expression (`args` is the argument), then `argument`, `env` and `http`
exchanges, and what follows: `result`, `error` (`tags` that must be among the error's, `payload`, `context`), or
`refused` (a part of the message) with `at` [line, column]. `elapsed` is driven time in seconds.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from workflows_stub import StubHttp

from localcloud.clock import ManualClock
from localcloud.workflows import HttpRequest, SourceError, WorkflowError, run_source
from localcloud.workflows.values import equal

FOLDER = Path(__file__).parents[2] / "cases" / "workflows"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]
_KEYS = {"name", "source", "evaluate", "argument", "env", "http", "result", "error", "refused", "at", "elapsed"}


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    """A workflow gives the result, fails with the error, or is refused, as its case says."""
    assert case.keys() <= _KEYS, f"unknown keys {case.keys() - _KEYS}"
    assert len(case.keys() & {"result", "error", "refused"}) == 1
    clock = ManualClock()
    start = clock.now()
    exchanges = case.get("http", [])
    http = StubHttp(clock, exchanges)
    source = (
        case.get("source")
        or f"main:\n  params: [args]\n  steps:\n    - only:\n        return: {_quoted(case['evaluate'])}\n"
    )
    run = run_source(source, case.get("argument"), clock=clock, env=case.get("env"), http=http)
    if "refused" in case:
        with pytest.raises(SourceError) as refusal:
            asyncio.run(run)
        assert case["refused"] in str(refusal.value)
        if "at" in case:
            assert [refusal.value.problems[0].position.line, refusal.value.problems[0].position.column] == case["at"]
    elif "error" in case:
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


def _quoted(expression: str) -> str:
    return "'${" + expression.replace("'", "''") + "}'"


def _check_error(expected: dict[str, Any], error: WorkflowError) -> None:
    assert expected.keys() <= {"tags", "payload", "context"}
    assert set(expected.get("tags", ())) <= set(error.tags), error.payload
    if "payload" in expected:
        assert error.payload == expected["payload"]
    assert expected.get("context", "") in error.context()


def _check_request(expected: dict[str, Any], request: HttpRequest) -> None:
    assert expected.keys() <= {"method", "url", "headers", "body"}
    assert expected.get("method", request.method) == request.method
    assert expected.get("url", request.url) == request.url
    assert expected.get("body", request.body.decode(errors="replace")) == request.body.decode(errors="replace")
    for name, value in expected.get("headers", {}).items():
        assert request.headers.get(name) == value, request.headers
