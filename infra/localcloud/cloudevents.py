"""Pub/Sub messages as the CloudEvents that Eventarc makes of them.

Shapes: https://cloud.google.com/eventarc/docs/cloudevents; binary mode for functions, JSON mode for workflows.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from google.cloud.pubsub_v1.subscriber.message import Message

FINALIZED = "google.cloud.storage.object.v1.finalized"
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
# What stays as it is in a header; the HTTP binding of CloudEvents has all else percent-encoded.
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F))).translate({ord(reserved): None for reserved in '"%'})


@dataclass(frozen=True)
class CloudEvent:
    """One event; `extensions` are further attributes such as ``bucket``."""

    id: str
    type: str
    source: str
    time: str
    data: Mapping[str, Any]
    subject: str | None = None
    extensions: Mapping[str, str] | None = None

    def attributes(self) -> dict[str, str]:
        """Context attributes by name."""
        found = {"specversion": "1.0", "id": self.id, "type": self.type, "source": self.source, "time": self.time}
        if self.subject is not None:
            found["subject"] = self.subject
        return {**found, **(self.extensions or {})}

    def headers(self) -> dict[str, str]:
        """HTTP headers of the binary mode."""
        attributes = {f"ce-{name}": quote(value, safe=_PRINTABLE) for name, value in self.attributes().items()}
        return {"Content-Type": "application/json", **attributes}

    def body(self) -> bytes:
        """HTTP body of the binary mode: the data alone."""
        return json.dumps(self.data).encode()

    def as_json(self) -> dict[str, Any]:
        """The whole event as one JSON object, as a workflow receives it."""
        return {**self.attributes(), "datacontenttype": "application/json", "data": self.data}


def from_message(message: Message, topic: str, subscription: str, bucket: str | None) -> CloudEvent | None:
    """The event of a message: an object change when `bucket` is given (None for other buckets and other changes).

    `topic` and `subscription` are resource names.
    """
    if bucket is None:
        return _published(message, topic, subscription)
    attributes = message.attributes
    if attributes.get("eventType") != "OBJECT_FINALIZE" or attributes.get("bucketId") != bucket:
        return None
    resource = json.loads(message.data)
    return CloudEvent(
        id=message.message_id,
        type=FINALIZED,
        source=f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        subject=f"objects/{resource['name']}",
        time=str(resource.get("updated") or resource["timeCreated"]),
        data={"kind": "storage#object", **resource},
        extensions={"bucket": bucket},
    )


def notification_attributes(resource: Mapping[str, Any]) -> dict[str, str]:
    """Attributes of the message that tells of a finalized object."""
    return {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": str(resource["bucket"]),
        "objectId": str(resource["name"]),
        "objectGeneration": str(resource["generation"]),
        "eventTime": str(resource["updated"]),
    }


def _published(message: Message, topic: str, subscription: str) -> CloudEvent:
    published = message.publish_time or datetime.now(UTC)
    time = published.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    inner: dict[str, Any] = {
        "data": base64.b64encode(message.data).decode(),
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": time,
        "publish_time": time,
    }
    if message.attributes:
        inner["attributes"] = dict(message.attributes)
    if message.ordering_key:
        inner["orderingKey"] = message.ordering_key
    return CloudEvent(
        id=message.message_id,
        type=PUBLISHED,
        source=f"//pubsub.googleapis.com/{topic}",
        time=time,
        data={"message": inner, "subscription": subscription},
    )
