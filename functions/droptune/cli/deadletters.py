"""Dead-letter subscriptions over Pub/Sub's REST API: looked at without taking anything away, and replayed."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from .group import CliError, InputError

SUFFIX = "-dead"
BATCH = 100
TIMEOUT_SECONDS = 30
# Pub/Sub adds these when it forwards a message (https://cloud.google.com/pubsub/docs/dead-letter-topics).
ADDED_PREFIX = "CloudPubSubDeadLetterSource"
SOURCE_SUBSCRIPTION = f"{ADDED_PREFIX}Subscription"
SOURCE_PROJECT = f"{ADDED_PREFIX}SubscriptionProject"
DELIVERY_COUNT = f"{ADDED_PREFIX}DeliveryCount"


@dataclass(frozen=True)
class Letter:
    """A message that nobody could handle. `about` is its run, or the object that it tells of."""

    trigger: str
    message_id: str
    published: str
    attempts: str
    about: str
    attributes: Mapping[str, str]
    data: str


class DeadLetters:
    """The subscriptions ``<name>-dead`` of the given triggers and subscriptions."""

    def __init__(self, session: requests.Session, address: str, project: str, names: Sequence[str]) -> None:
        self._session = session
        self._address = address
        self._project = project
        self._names = names

    def waiting(self, only: str | None = None) -> list[Letter]:
        """Every waiting message. Each is taken and given back at once, so that others can take it."""
        found = []
        for name in self._chosen(only):
            taken = list(self._take(name))
            self._call(name, "modifyAckDeadline", {"ackIds": [ack for ack, _ in taken], "ackDeadlineSeconds": 0})
            found += [letter for _, letter in taken]
        return found

    def replay(self, only: str | None = None) -> Iterator[Letter]:
        """Publish each waiting message to the topic that it came from, then remove it here; what was replayed."""
        for name in self._chosen(only):
            taken = list(self._take(name))
            for ack, letter in taken:
                self._publish(letter)
                self._call(name, "acknowledge", {"ackIds": [ack]})
                yield letter

    def _chosen(self, only: str | None) -> Sequence[str]:
        if only is None:
            return self._names
        if only not in self._names:
            raise InputError(f"there is no trigger {only!r}. There are: {', '.join(self._names)}.")
        return (only,)

    def _take(self, name: str) -> Iterator[tuple[str, Letter]]:
        """Messages with their ack ids, each once, until the subscription has no more to give."""
        seen: set[str] = set()
        while True:
            reply = self._call(name, "pull", {"maxMessages": BATCH, "returnImmediately": True})
            fresh = [m for m in reply.get("receivedMessages", []) if m["message"]["messageId"] not in seen]
            if not fresh:
                return
            for received in fresh:
                seen.add(received["message"]["messageId"])
                yield received["ackId"], _letter(name, received["message"])

    def _publish(self, letter: Letter) -> None:
        project = letter.attributes.get(SOURCE_PROJECT, self._project)
        source = letter.attributes.get(SOURCE_SUBSCRIPTION, letter.trigger)
        topic = self._request("GET", f"projects/{project}/subscriptions/{source}")["topic"]
        attributes = {key: value for key, value in letter.attributes.items() if not key.startswith(ADDED_PREFIX)}
        message = {"data": letter.data, "attributes": attributes}
        self._request("POST", f"{topic}:publish", {"messages": [message]})

    def _call(self, name: str, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if body.get("ackIds") == []:
            return {}
        return self._request("POST", f"projects/{self._project}/subscriptions/{name}{SUFFIX}:{verb}", body)

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            reply = self._session.request(method, f"{self._address}/v1/{path}", json=body, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise CliError(f"Pub/Sub cannot be reached: {error}. Look with `droptune doctor`.") from error
        if not reply.ok:
            raise CliError(f"Pub/Sub answered {reply.status_code} for {path}: {reply.text.strip()}")
        result: dict[str, Any] = reply.json()
        return result


def _letter(name: str, message: Mapping[str, Any]) -> Letter:
    attributes = {str(key): str(value) for key, value in message.get("attributes", {}).items()}
    return Letter(
        trigger=name,
        message_id=message["messageId"],
        published=message.get("publishTime", ""),
        attempts=attributes.get(DELIVERY_COUNT, ""),
        about=attributes.get("run-id") or attributes.get("objectId") or _size(message.get("data", "")),
        attributes=attributes,
        data=message.get("data", ""),
    )


def _size(data: str) -> str:
    return f"{len(base64.b64decode(data))} bytes"
