"""Dead letters are looked at without being lost, and replayed to where they came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from droptune.cli.deadletters import DeadLetters
from droptune.cli.group import InputError

ADDRESS = "http://pubsub"
SUBSCRIPTION = "projects/p/subscriptions/tuned-dead"


class FakePubSub(requests.Session):
    """Answers the requests of the REST API for one dead-letter subscription, and records what was done."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        super().__init__()
        self.waiting = {f"ack-{m['messageId']}": m for m in messages}
        self.leased: set[str] = set()
        self.published: list[tuple[str, Any]] = []

    def request(self, method: str, url: str, *, json: Any = None, **options: Any) -> requests.Response:  # type: ignore[override]
        path = url.removeprefix(f"{ADDRESS}/v1/")
        if path == f"{SUBSCRIPTION}:pull":
            free = [ack for ack in self.waiting if ack not in self.leased][:1]
            self.leased |= set(free)
            return reply({"receivedMessages": [{"ackId": ack, "message": self.waiting[ack]} for ack in free]})
        if path == f"{SUBSCRIPTION}:modifyAckDeadline":
            assert json["ackDeadlineSeconds"] == 0
            self.leased -= set(json["ackIds"])
        elif path == f"{SUBSCRIPTION}:acknowledge":
            for ack in json["ackIds"]:
                del self.waiting[ack]
        elif path == "projects/p/subscriptions/tuned":
            return reply({"topic": "projects/p/topics/tuning-succeeded"})
        elif path.endswith(":publish"):
            self.published.append((path, json["messages"]))
        return reply({})


def reply(body: Mapping[str, Any]) -> requests.Response:
    found = requests.Response()
    found.status_code = 200
    found._content = json.dumps(body).encode()
    return found


def message(number: str) -> dict[str, Any]:
    attributes = {
        "run-id": f"run-{number}",
        "ce-type": "tuning-succeeded",
        "CloudPubSubDeadLetterSourceSubscription": "tuned",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "p",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
    }
    return {"messageId": number, "publishTime": "2025-11-21T10:13:20Z", "attributes": attributes, "data": "e30="}


def box(pubsub: FakePubSub) -> DeadLetters:
    return DeadLetters(pubsub, ADDRESS, "p", ["tuned"])


def test_listing_leaves_every_message_where_it_is() -> None:
    """All messages are seen, however few come at a time, and are free again afterwards."""
    pubsub = FakePubSub(message("1"), message("2"))
    assert [letter.about for letter in box(pubsub).waiting()] == ["run-1", "run-2"]
    assert len(pubsub.waiting) == 2 and not pubsub.leased


def test_replaying_publishes_to_the_original_topic_and_then_acknowledges() -> None:
    """Data and attributes are kept, but for those that dead-lettering added."""
    pubsub = FakePubSub(message("1"))
    assert [letter.message_id for letter in box(pubsub).replay()] == ["1"]
    expected = {"data": "e30=", "attributes": {"run-id": "run-1", "ce-type": "tuning-succeeded"}}
    assert pubsub.published == [("projects/p/topics/tuning-succeeded:publish", [expected])]
    assert not pubsub.waiting


def test_an_unknown_trigger_is_refused_by_name() -> None:
    """The message lists the triggers."""
    with pytest.raises(InputError, match="tuned"):
        box(FakePubSub()).waiting("nothing")
