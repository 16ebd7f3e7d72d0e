"""What a workflow gets as its argument when a Pub/Sub message starts it (reference: "How events reach a workflow")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..http import GoogleError
from .definitions import timestamp

_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"


def event_of_push(body: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The CloudEvent of a push body `{subscription, message}`. INVALID_ARGUMENT without a message."""
    message, subscription = body.get("message"), body.get("subscription")
    if not isinstance(message, Mapping) or not isinstance(subscription, str):
        raise GoogleError("INVALID_ARGUMENT", "the body must have a subscription and a message")
    project = subscription.split("/")[1] if subscription.count("/") == 3 else "-"
    # Differs: a push names its subscription, not its topic; the service knows the topic from the trigger.
    topic = subscription.rpartition("/")[2]
    return {
        "specversion": "1.0",
        "id": str(message.get("messageId", "")),
        "source": f"//pubsub.googleapis.com/projects/{project}/topics/{topic}",
        "type": _TYPE,
        "datacontenttype": "application/json",
        "time": message.get("publishTime") or timestamp(now),
        "data": {"subscription": subscription, "message": dict(message)},
    }
