"""The language, case by case, in process and over the REST API: tests/cases/workflows/*.yaml.

A new case needs no code; workflows_corpus.py says what a case may hold.
"""

from __future__ import annotations

from typing import Any

import pytest
from workflows_corpus import Case, read_case, read_corpus
from workflows_hosts import HOSTS, Failed, Outcome, Refused, Succeeded
from workflows_stub import StubHttp

from localcloud.clock import ManualClock
from localcloud.workflows import HttpRequest
from localcloud.workflows.values import equal

CORPUS = read_corpus()


@pytest.mark.parametrize(
    ("host", "case"),
    [
        pytest.param(host, case, id=f"{name} ({host})")
        for name, case in CORPUS.items()
        for host in HOSTS
        if host == "rest" or not case.callers
    ],
)
def test_case(host: str, case: Case) -> None:
    """A workflow gives the result, fails with the error, or is refused, as its case says, wherever it runs."""
    clock = ManualClock()
    start = clock.now()
    http = StubHttp(clock, case.http)
    outcome = HOSTS[host](case, clock, http)
    _check_outcome(case, outcome)
    assert len(http.requests) == len(case.http)
    for exchange, request in zip(case.http, http.requests, strict=True):
        _check_request(exchange.get("expect", {}), request)
    if case.calls is not None:
        assert tuple(f"{request.method} {request.url}" for request in http.requests) == case.calls
    if case.elapsed is not None:
        assert clock.now() - start == pytest.approx(case.elapsed)


def _check_outcome(case: Case, outcome: Outcome) -> None:
    if case.refused is not None:
        assert isinstance(outcome, Refused), outcome
        _check_refusal(case, outcome)
    elif case.error is not None:
        assert isinstance(outcome, Failed), outcome
        _check_error(case.error, outcome)
    else:
        assert isinstance(outcome, Succeeded), outcome
        assert equal(outcome.result, case.result), f"expected {case.result!r}, found {outcome.result!r}"


def _check_refusal(case: Case, refusal: Refused) -> None:
    parts, places = case.problems()
    for part in parts:
        assert part in refusal.message
    for line, column in places:
        assert f"(line {line}, column {column})" in refusal.message
    if not isinstance(case.refused, str):
        # Every problem is named: no more, no less.
        assert refusal.message.count("(line ") == len(parts), refusal.message
    if refusal.places is not None:
        assert tuple((p.line, p.column) for p in refusal.places[: len(places)]) == places


def _check_error(expected: dict[str, Any], failure: Failed) -> None:
    assert expected.keys() <= {"tags", "payload", "context"}
    if "tags" in expected:
        assert set(expected["tags"]) <= set(failure.payload["tags"]), failure
    if "payload" in expected:
        assert failure.payload == expected["payload"]
    assert expected.get("context", "") in failure.context


def _check_request(expected: dict[str, Any], request: HttpRequest) -> None:
    assert expected.keys() <= {"method", "url", "headers", "body"}
    assert expected.get("method", request.method) == request.method
    assert expected.get("url", request.url) == request.url
    assert expected.get("body", request.body.decode(errors="replace")) == request.body.decode(errors="replace")
    for name, value in expected.get("headers", {}).items():
        assert request.headers.get(name) == value, request.headers


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"source": "x", "result": 1}, "must be a map with a name"),
        ({"name": "n", "source": "x", "result": 1, "reslt": 1}, "unknown keys"),
        ({"name": "n", "source": "x"}, "exactly one of"),
        ({"name": "n", "source": "x", "result": 1, "refused": "y"}, "exactly one of"),
        ({"name": "n", "result": 1}, "either source or evaluate"),
        ({"name": "n", "source": "x", "result": 1, "at": [1, 1]}, "no place for"),
    ],
)
def test_a_case_is_checked_when_it_is_read(raw: dict[str, Any], message: str) -> None:
    """A misspelt key or a case without an outcome is an error, not a case that passes."""
    with pytest.raises(ValueError, match=message):
        read_case(raw)


def test_the_corpus_is_large() -> None:
    """There are at least 300 cases."""
    assert len(CORPUS) >= 300
