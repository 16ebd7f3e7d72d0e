"""CloudEvents and Pub/Sub wrappers turned into our own types; the only place that digs in raw dictionaries."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from . import events
from .errors import NotOurs
from .ports import StoredObject

FINALIZED = "google.cloud.storage.object.v1.finalized"
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
F = TypeVar("F")


def dropped_object(event_type: str, data: Any) -> StoredObject:
    """The object of a Cloud Storage "finalized" event; NotOurs for any other event.

    Shape: https://cloud.google.com/eventarc/docs/cloudevents (StorageObjectData). 64-bit numbers are strings.
    """
    if event_type != FINALIZED:
        raise NotOurs(f"event type {event_type!r} is not {FINALIZED!r}")
    if not isinstance(data, Mapping):
        raise NotOurs("the event's data is not a JSON object")
    try:
        return StoredObject(
            bucket=str(data["bucket"]),
            name=str(data["name"]),
            generation=int(data["generation"]),
            size_bytes=int(data.get("size", 0)),
            metadata={str(k): str(v) for k, v in (data.get("metadata") or {}).items()},
        )
    except (KeyError, ValueError, AttributeError) as error:
        raise NotOurs(f"the event's data is no Cloud Storage object: {error!r}") from error


def published_fact(event_type: str, data: Any, expected: type[F]) -> F:
    """The fact in a Pub/Sub "messagePublished" event; NotOurs when it holds none, or one that is not `expected`."""
    if event_type != PUBLISHED:
        raise NotOurs(f"event type {event_type!r} is not {PUBLISHED!r}")
    try:
        payload = base64.b64decode(data["message"]["data"], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise NotOurs(f"the event carries no message data: {error!r}") from error
    try:
        fact = events.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotOurs(f"the message is none of our facts: {error}") from error
    if not isinstance(fact, expected):
        raise NotOurs(f"{type(fact).__name__} is not handled here")
    return fact
