"""The REST API: the paths and bodies that gcloud uses, and Google-shaped errors."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localcloud.pubsub import running_pubsub

pytestmark = pytest.mark.anyio

TOPIC = "/v1/projects/p/topics/topic"
SUBSCRIPTION = "/v1/projects/p/subscriptions/subscription"


@pytest.fixture
async def rest(anyio_backend: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running service."""
    async with running_pubsub(tmp_path) as addresses, httpx.AsyncClient(base_url=addresses["rest"]) as client:
        yield client


async def call(rest: httpx.AsyncClient, verb: str, path: str, body: Any = None, status: int = 200) -> Any:
    """The JSON of an answer that must have `status`."""
    answer = await rest.request(verb, path, json=body, params={"alt": "json"})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_the_life_of_a_message(rest: httpx.AsyncClient) -> None:
    """Create, publish, pull, extend, acknowledge: each by its documented path."""
    assert await call(rest, "PUT", TOPIC, {}) == {"name": TOPIC[4:], "state": "ACTIVE"}
    created = await call(rest, "PUT", SUBSCRIPTION, {"topic": TOPIC[4:], "ackDeadlineSeconds": 20})
    assert created["ackDeadlineSeconds"] == 20
    assert created["messageRetentionDuration"] == "604800s"
    data = base64.b64encode(b"hello").decode()
    published = await call(rest, "POST", TOPIC + ":publish", {"messages": [{"data": data, "attributes": {"a": "b"}}]})
    pulled = await call(rest, "POST", SUBSCRIPTION + ":pull", {"maxMessages": 5, "returnImmediately": True})
    (received,) = pulled["receivedMessages"]
    assert received["message"]["data"] == data
    assert received["message"]["attributes"] == {"a": "b"}
    assert [received["message"]["messageId"]] == published["messageIds"]
    ack_ids = [received["ackId"]]
    assert (
        await call(rest, "POST", SUBSCRIPTION + ":modifyAckDeadline", {"ackIds": ack_ids, "ackDeadlineSeconds": 60})
        == {}
    )
    assert await call(rest, "POST", SUBSCRIPTION + ":acknowledge", {"ackIds": ack_ids}) == {}
    assert await call(rest, "POST", SUBSCRIPTION + ":pull", {"maxMessages": 5, "returnImmediately": True}) == {}


async def test_resources_are_listed_changed_and_deleted(rest: httpx.AsyncClient) -> None:
    """GET lists by pages, PATCH follows its mask, DELETE forgets."""
    for name in ("aaa", "bbb", "ccc"):
        await call(rest, "PUT", f"/v1/projects/p/topics/{name}", {})
    await call(rest, "PUT", SUBSCRIPTION, {"topic": "projects/p/topics/aaa"})
    page = (await rest.get("/v1/projects/p/topics", params={"pageSize": 2})).json()
    assert [topic["name"][-3:] for topic in page["topics"]] == ["aaa", "bbb"]
    page = (await rest.get("/v1/projects/p/topics", params={"pageToken": page["nextPageToken"]})).json()
    assert [topic["name"][-3:] for topic in page["topics"]] == ["ccc"] and "nextPageToken" not in page
    listed = await call(rest, "GET", "/v1/projects/p/topics/aaa/subscriptions")
    assert listed == {"subscriptions": [SUBSCRIPTION[4:]]}
    assert len((await call(rest, "GET", "/v1/projects/p/subscriptions"))["subscriptions"]) == 1
    patch = {"subscription": {"ackDeadlineSeconds": 42, "labels": {"x": "y"}}, "updateMask": "ackDeadlineSeconds"}
    assert (await call(rest, "PATCH", SUBSCRIPTION, patch))["ackDeadlineSeconds"] == 42
    assert "labels" not in await call(rest, "GET", SUBSCRIPTION)
    patch = {"topic": {"labels": {"x": "y"}}, "updateMask": "labels"}
    assert (await call(rest, "PATCH", "/v1/projects/p/topics/aaa", patch))["labels"] == {"x": "y"}
    push = {"pushConfig": {"pushEndpoint": "http://127.0.0.1:9/"}}
    assert await call(rest, "POST", SUBSCRIPTION + ":modifyPushConfig", push) == {}
    assert (await call(rest, "GET", SUBSCRIPTION))["pushConfig"] == push["pushConfig"]
    assert await call(rest, "DELETE", SUBSCRIPTION) == {}
    assert await call(rest, "DELETE", "/v1/projects/p/topics/aaa") == {}
    await call(rest, "GET", SUBSCRIPTION, status=404)


REFUSED: dict[str, tuple[str, str, Any, int, str]] = {
    "missing topic": ("GET", TOPIC + "x", None, 404, "NOT_FOUND"),
    "topic twice": ("PUT", TOPIC, {}, 409, "ALREADY_EXISTS"),
    "bad id": ("PUT", "/v1/projects/p/topics/1", {}, 400, "INVALID_ARGUMENT"),
    "google's id": ("PUT", "/v1/projects/p/topics/google-x", {}, 400, "INVALID_ARGUMENT"),
    "unknown field": ("PUT", TOPIC + "2", {"colour": 1}, 400, "INVALID_ARGUMENT"),
    "not an object": ("PUT", TOPIC + "2", [], 400, "INVALID_ARGUMENT"),
    "deadline 601": ("PUT", SUBSCRIPTION, {"topic": TOPIC[4:], "ackDeadlineSeconds": 601}, 400, "INVALID_ARGUMENT"),
    "retention 1 s": (
        "PUT", SUBSCRIPTION, {"topic": TOPIC[4:], "messageRetentionDuration": "1s"}, 400, "INVALID_ARGUMENT",
    ),
    "backoff 601 s": (
        "PUT", SUBSCRIPTION, {"topic": TOPIC[4:], "retryPolicy": {"maximumBackoff": "601s"}}, 400, "INVALID_ARGUMENT",
    ),
    "push to nowhere": (
        "PUT", SUBSCRIPTION, {"topic": TOPIC[4:], "pushConfig": {"pushEndpoint": "x"}}, 400, "INVALID_ARGUMENT",
    ),
    "schema": ("PUT", TOPIC + "2", {"schemaSettings": {"schema": "s"}}, 501, "UNIMPLEMENTED"),
    "bigquery": ("PUT", SUBSCRIPTION, {"topic": TOPIC[4:], "bigqueryConfig": {"table": "t"}}, 501, "UNIMPLEMENTED"),
    "retained acks": ("PUT", SUBSCRIPTION, {"topic": TOPIC[4:], "retainAckedMessages": True}, 501, "UNIMPLEMENTED"),
    "other action": ("POST", TOPIC + ":detach", {}, 501, "UNIMPLEMENTED"),
    "wrong verb": ("POST", "/v1/projects/p/topics", {}, 405, "UNIMPLEMENTED"),
    "other path": ("GET", "/v1/projects/p/schemas", None, 404, "NOT_FOUND"),
    "filter changes": (
        "PATCH", "/v1/projects/p/subscriptions/taken",
        {"subscription": {"filter": "attributes:a"}, "updateMask": "filter"}, 400, "INVALID_ARGUMENT",
    ),
    "empty mask": ("PATCH", "/v1/projects/p/subscriptions/taken", {"subscription": {}}, 400, "INVALID_ARGUMENT"),
    "nothing published": ("POST", TOPIC + ":publish", {}, 400, "INVALID_ARGUMENT"),
    "empty message": ("POST", TOPIC + ":publish", {"messages": [{"orderingKey": "k"}]}, 400, "INVALID_ARGUMENT"),
    "goog attribute": (
        "POST", TOPIC + ":publish", {"messages": [{"attributes": {"googx": "1"}}]}, 400, "INVALID_ARGUMENT",
    ),
    "long value": (
        "POST", TOPIC + ":publish", {"messages": [{"attributes": {"x": "y" * 1025}}]}, 400, "INVALID_ARGUMENT",
    ),
    "101 attributes": (
        "POST", TOPIC + ":publish", {"messages": [{"attributes": {str(n): "" for n in range(101)}}]},
        400, "INVALID_ARGUMENT",
    ),
    "1001 messages": ("POST", TOPIC + ":publish", {"messages": [{"data": "eA=="}] * 1001}, 400, "INVALID_ARGUMENT"),
    "too large": (
        "POST", TOPIC + ":publish", {"messages": [{"data": base64.b64encode(bytes(10_000_000)).decode()}]},
        400, "INVALID_ARGUMENT",
    ),
    "no max_messages": ("POST", "/v1/projects/p/subscriptions/taken:pull", {}, 400, "INVALID_ARGUMENT"),
    "no ack ids": ("POST", "/v1/projects/p/subscriptions/taken:acknowledge", {}, 400, "INVALID_ARGUMENT"),
    "deadline -1": (
        "POST", "/v1/projects/p/subscriptions/taken:modifyAckDeadline",
        {"ackIds": ["1-1"], "ackDeadlineSeconds": -1}, 400, "INVALID_ARGUMENT",
    ),
    "seek to snapshot": (
        "POST", "/v1/projects/p/subscriptions/taken:seek", {"snapshot": "projects/p/snapshots/s"}, 501, "UNIMPLEMENTED",
    ),
}  # fmt: skip


async def test_wrong_requests_get_google_shaped_errors(rest: httpx.AsyncClient) -> None:
    """Status, code and a message; nothing is changed by a refused request."""
    await call(rest, "PUT", TOPIC, {})
    await call(rest, "PUT", "/v1/projects/p/subscriptions/taken", {"topic": TOPIC[4:]})
    for case, (verb, path, body, status, name) in REFUSED.items():
        error = (await call(rest, verb, path, body, status))["error"]
        assert (error["code"], error["status"]) == (status, name), case
        assert error["message"], case
    assert len((await call(rest, "GET", "/v1/projects/p/topics"))["topics"]) == 1
    assert len((await call(rest, "GET", "/v1/projects/p/subscriptions"))["subscriptions"]) == 1


async def test_a_client_that_leaves_takes_no_message(rest: httpx.AsyncClient) -> None:
    """A pull whose connection is gone does not lease what comes later."""
    await call(rest, "PUT", TOPIC, {})
    await call(rest, "PUT", SUBSCRIPTION, {"topic": TOPIC[4:]})
    with pytest.raises(httpx.ReadTimeout):
        await rest.post(SUBSCRIPTION + ":pull", json={"maxMessages": 1}, timeout=0.1)
    await call(rest, "GET", SUBSCRIPTION)
    await call(rest, "POST", TOPIC + ":publish", {"messages": [{"data": "eA=="}]})
    pulled = await call(rest, "POST", SUBSCRIPTION + ":pull", {"maxMessages": 1})
    assert len(pulled["receivedMessages"]) == 1


async def test_the_root_says_that_the_service_answers(rest: httpx.AsyncClient) -> None:
    """GET / is the readiness probe, as on the official emulator."""
    assert (await rest.get("/")).status_code == 200
