"""Facts reach Pub/Sub as the next hop expects them, and a Pub/Sub that is not there is noticed in time."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from run_facts import dataset_ready

from droptune.clients.pubsub import PubSub
from droptune.errors import Retryable
from droptune.events import NOTIFICATIONS_TOPIC, Notification, encode

PROJECT = "contract"
NOTIFICATION = Notification(
    run_id="cards-1",
    what="cards was rejected",
    verdict="rejected",
    why="3 errors",
    cost_and_time="nothing was started",
    next_command="droptune show cards-1",
)


class Reader:
    """One topic with a subscription, over the server's REST API."""

    def __init__(self, address: str, topic: str) -> None:
        self._root = f"{address}/v1/projects/{PROJECT}"
        requests.put(f"{self._root}/topics/{topic}", json={}, timeout=10).raise_for_status()
        body = {"topic": f"projects/{PROJECT}/topics/{topic}"}
        requests.put(f"{self._root}/subscriptions/{topic}", json=body, timeout=10).raise_for_status()
        self._subscription = f"{self._root}/subscriptions/{topic}"

    def messages(self) -> list[dict[str, Any]]:
        reply = requests.post(f"{self._subscription}:pull", json={"maxMessages": 10}, timeout=10)
        return [received["message"] for received in reply.json().get("receivedMessages", [])]


@pytest.fixture
def pubsub(start_service: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    service = start_service("pubsub")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", service.addresses["grpc"])
    return service


def test_a_fact_is_published_as_a_cloudevent(pubsub: Any) -> None:
    """The body is the fact, the attributes say what it is and which run it belongs to, on the topic of its type."""
    fact = dataset_ready()
    reader = Reader(pubsub.addresses["rest"], "dataset-ready")
    PubSub(PROJECT).publish(fact)
    (message,) = reader.messages()
    assert base64.b64decode(message["data"]) == encode(fact)
    assert message["attributes"] == {
        "ce-specversion": "1.0",
        "ce-id": f"{fact.run_id}/dataset-ready",
        "ce-type": "dataset-ready",
        "ce-source": "//droptune",
        "run-id": fact.run_id,
    }


def test_a_notification_goes_to_its_topic(pubsub: Any) -> None:
    """People subscribe to one topic for all outcomes."""
    reader = Reader(pubsub.addresses["rest"], NOTIFICATIONS_TOPIC)
    PubSub(PROJECT).announce(NOTIFICATION)
    (message,) = reader.messages()
    assert base64.b64decode(message["data"]) == encode(NOTIFICATION)
    assert message["attributes"]["run-id"] == NOTIFICATION.run_id


def test_a_topic_that_is_missing_is_told_at_once(pubsub: Any) -> None:
    """Nobody waits for a topic; the error names it."""
    began = time.monotonic()
    with pytest.raises(Retryable, match="dataset-ready does not exist"):
        PubSub(PROJECT).publish(dataset_ready())
    assert time.monotonic() - began < 5


def test_a_pubsub_that_does_not_answer_is_retryable(pubsub: Any) -> None:
    """The event is given back within the patience, whatever the library goes on trying."""
    pubsub.kill()
    began = time.monotonic()
    with pytest.raises(Retryable, match=r"no answer within 0\.3 s"):
        PubSub(PROJECT, patience_seconds=0.3).publish(dataset_ready())
    assert time.monotonic() - began < 5
