"""What a workflow gets as its argument when a Pub/Sub message starts it (reference: "How events reach a workflow")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...http import GoogleError
from ..service.definitions import timestamp

_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"
# How the mode of a push that Eventarc set up begins; the topic's name follows.
_MODE = "CUSTOM_PUBSUB_"


def event_of_push(body: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The CloudEvent of a push body `{subscription, message}`. INVALID_ARGUMENT without a message."""
    message, subscription = body.get("message"), body.get("subscription")
    if not isinstance(message, Mapping) or not isinstance(subscription, str):
        raise GoogleError("INVALID_ARGUMENT", "the body must have a subscription and a message")
    mode = str(body.get("GCPCloudEventsMode", ""))
    # Differs: a push without a mode, which the service refuses, is taken for one of a topic named as the subscription.
    topic = mode.removeprefix(_MODE) if mode.startswith(_MODE) else _topic_like(subscription)
    return {
        "specversion": "1.0",
        "id": str(message.get("messageId", "")),
        "source": f"//pubsub.googleapis.com/{topic}",
        "type": _TYPE,
        "datacontenttype": "application/json",
        "time": message.get("publishTime") or timestamp(now),
        "data": {"subscription": subscription, "message": dict(message)},
    }


def _topic_like(subscription: str) -> str:
    project = subscription.split("/")[1] if subscription.count("/") == 3 else "-"
    return f"projects/{project}/topics/{subscription.rpartition('/')[2]}"
