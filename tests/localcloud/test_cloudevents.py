"""What Eventarc makes of messages. Shapes: cloud.google.com/eventarc/docs/cloudevents."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from google.cloud.pubsub_v1 import types
from google.cloud.pubsub_v1.subscriber.message import Message

from localcloud.cloudevents import FINALIZED, PUBLISHED, from_message, notification_attributes

TOPIC = "projects/p/topics/t"
SUBSCRIPTION = "projects/p/subscriptions/s"
RESOURCE = {
    "bucket": "intake",
    "name": "dir/n.jsonl",
    "generation": "1795256135002638",
    "size": "7",
    "timeCreated": "2026-01-02T03:04:05.678Z",
    "updated": "2026-01-02T03:04:05.678Z",
}


def message(data: bytes, **attributes: str) -> Message:
    raw = types.PubsubMessage(
        data=data, message_id="11", attributes=attributes, publish_time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    )
    return Message(raw._pb, "ack", 0, None)  # type: ignore[arg-type]


def changed(**attributes: str) -> Any:
    told = {**notification_attributes(RESOURCE), **attributes}
    return from_message(message(json.dumps(RESOURCE).encode(), **told), TOPIC, SUBSCRIPTION, "intake")


def test_a_finalized_object_is_a_storage_event() -> None:
    """Type, source, subject and bucket as Cloud Run functions receive them; the body is the object itself."""
    event = changed()
    assert event.headers() == {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "11",
        "ce-type": FINALIZED,
        "ce-source": "//storage.googleapis.com/projects/_/buckets/intake",
        "ce-subject": "objects/dir/n.jsonl",
        "ce-time": "2026-01-02T03:04:05.678Z",
        "ce-bucket": "intake",
    }
    assert json.loads(event.body()) == {"kind": "storage#object", **RESOURCE}


def test_any_name_of_an_object_fits_into_headers() -> None:
    """What is no printable ASCII is percent-encoded there, and stays as it is in the body."""
    resource = {**RESOURCE, "name": '質問 "1" 5%.jsonl'}
    told = message(json.dumps(resource).encode(), **notification_attributes(resource))
    event = from_message(told, TOPIC, SUBSCRIPTION, "intake")
    assert event is not None
    assert event.headers()["ce-subject"] == "objects/%E8%B3%AA%E5%95%8F%20%221%22%205%25.jsonl"
    assert json.loads(event.body())["name"] == resource["name"]


def test_other_changes_and_other_buckets_make_no_event() -> None:
    """A trigger hears of its own bucket's finalized objects only, also where filters are ignored."""
    assert changed(eventType="OBJECT_DELETE") is None
    assert changed(bucketId="elsewhere") is None


def test_a_published_message_keeps_data_and_attributes() -> None:
    """A function and a workflow receive the same event, one in headers and body, the other as one object."""
    event = from_message(message(b"hello", colour="blue"), TOPIC, SUBSCRIPTION, None)
    assert event is not None
    whole = event.as_json()
    assert whole["type"] == PUBLISHED
    assert whole["source"] == "//pubsub.googleapis.com/projects/p/topics/t"
    inner = whole["data"]["message"]
    assert base64.b64decode(inner["data"]) == b"hello"
    assert inner["attributes"] == {"colour": "blue"}
    assert whole["data"]["subscription"] == SUBSCRIPTION
    assert json.loads(event.body()) == whole["data"]


def test_attributes_are_absent_when_there_are_none() -> None:
    """As seen in captured events."""
    event = from_message(message(b"hello"), TOPIC, SUBSCRIPTION, None)
    assert event is not None
    assert "attributes" not in event.data["message"]
