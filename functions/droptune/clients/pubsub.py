"""Pub/Sub as the `Publisher` port, over google-cloud-pubsub."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ..errors import Retryable
from ..events import NOTIFICATIONS_TOPIC, Fact, Notification, encode, topic_of

PATIENCE_SECONDS = 30.0


class PubSub:
    """Publishes facts as CloudEvents; the client is built on first use. PUBSUB_EMULATOR_HOST is honoured.

    Attributes follow the CloudEvents binding for Pub/Sub in binary mode: ``ce-id``, ``ce-type``, ``ce-source``.
    What is not acknowledged within `patience_seconds` may still arrive: the library goes on trying.
    """

    def __init__(self, project: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._project = project
        self._patience_seconds = patience_seconds

    @cached_property
    def _client(self) -> Any:
        from google.cloud import pubsub_v1

        # One message at a time and at once: a hop publishes one fact, and waiting to fill a batch only delays it.
        return pubsub_v1.PublisherClient(batch_settings=pubsub_v1.types.BatchSettings(max_messages=1))

    def publish(self, fact: Fact) -> None:
        topic = topic_of(fact)
        self._send(topic, encode(fact), fact.run_id)

    def announce(self, notification: Notification) -> None:
        self._send(NOTIFICATIONS_TOPIC, encode(notification), notification.run_id)

    def _send(self, topic: str, data: bytes, run: str) -> None:
        from google.api_core.exceptions import GoogleAPICallError

        attributes = {
            "ce-specversion": "1.0",
            "ce-id": f"{run}/{topic}",
            "ce-type": topic,
            "ce-source": "//droptune",
            "run-id": run,
        }
        future = self._client.publish(f"projects/{self._project}/topics/{topic}", data, **attributes)
        try:
            future.result(timeout=self._patience_seconds)
        except TimeoutError as error:
            raise Retryable(f"Pub/Sub topic {topic}: no answer within {self._patience_seconds:g} s") from error
        except GoogleAPICallError as error:
            raise Retryable(f"Pub/Sub topic {topic}: {error}") from error
