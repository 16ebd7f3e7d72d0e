"""What Terraform creates on Google Cloud, created on the local one: buckets, topics, workflows, triggers.

Everything here can be repeated: what exists already is left, or brought up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import requests

from .eventarc import Destination, Route, Routes
from .process import CannotStart, write_atomically
from .wiring import Delivery, Trigger, Wiring, Workflow

STORAGE_TOPIC = "localcloud-storage"  # where the storage server tells of finalized objects
ROUTES_FILE = "routes.json"
TIMEOUT_SECONDS = 30
WORKFLOW_CONCURRENCY = 8  # executions being created at a time; those that run are not counted
REDELIVERY_MARGIN_SECONDS = 5  # a request is given up this long before its message would be delivered again


class Topics:
    """Topics and subscriptions, through the REST API that every Pub/Sub emulator has."""

    def __init__(self, project: str, address: str) -> None:
        self._project = project
        self._address = address

    def create(self, name: str) -> str:
        """The topic's resource name, created when it is not there."""
        topic = f"projects/{self._project}/topics/{name}"
        _put(f"{self._address}/v1/{topic}", {})
        return topic

    def subscribe(self, name: str, topic: str, delivery: Delivery | None = None, filter_: str = "") -> str:
        """A subscription's resource name; with `delivery` it gives up into ``<name>-dead``, a topic with a reader."""
        subscription = f"projects/{self._project}/subscriptions/{name}"
        body: dict[str, Any] = {"topic": topic}
        if filter_:
            body["filter"] = filter_
        if delivery is not None:
            dead = self.create(f"{name}-dead")
            self.subscribe(f"{name}-dead", dead)
            body["ackDeadlineSeconds"] = delivery.ack_deadline_seconds
            body["deadLetterPolicy"] = {
                "deadLetterTopic": dead,
                "maxDeliveryAttempts": delivery.max_delivery_attempts,
            }
            body["retryPolicy"] = {
                "minimumBackoff": f"{delivery.minimum_backoff_seconds}s",
                "maximumBackoff": f"{delivery.maximum_backoff_seconds}s",
            }
        _put(f"{self._address}/v1/{subscription}", body)
        return subscription


def provision(
    wired: Wiring, topics: Topics, project: str, region: str, addresses: Mapping[str, str], data: Path
) -> None:
    """Create everything that the wiring names and write the router's configuration to ``<data>/routes.json``."""
    for bucket in wired.buckets:
        _create_bucket(addresses["storage"], project, bucket)
    names = {name: topics.create(name) for name in wired.topics}
    for subscription in wired.subscriptions:
        topics.subscribe(subscription.name, names[subscription.topic], subscription.delivery)
    for workflow in wired.workflows:
        _deploy(addresses, f"projects/{project}/locations/{region}", workflow)
    storage_topic = topics.create(STORAGE_TOPIC)
    parent = f"projects/{project}/locations/{region}"
    instances = {function.name: function.max_instances for function in wired.functions}
    routes = tuple(
        _route(trigger, topics, names, storage_topic, addresses, parent, instances) for trigger in wired.triggers
    )
    config = Routes(routes, addresses["storage"], storage_topic)
    write_atomically(data / ROUTES_FILE, msgspec.json.encode(config).decode())


def _route(
    trigger: Trigger,
    topics: Topics,
    names: Mapping[str, str],
    storage_topic: str,
    addresses: Mapping[str, str],
    parent: str,
    instances: Mapping[str, int],
) -> Route:
    if trigger.bucket is not None:
        topic = storage_topic
        filter_ = f'attributes.bucketId = "{trigger.bucket}" AND attributes.eventType = "OBJECT_FINALIZE"'
    else:
        assert trigger.topic is not None
        topic, filter_ = names[trigger.topic], ""
    if trigger.workflow is not None:
        url = f"{addresses['workflows']}/v1/{parent}/workflows/{trigger.workflow}"
        destination, concurrency = Destination(url, workflow=True), WORKFLOW_CONCURRENCY
    else:
        destination = Destination(f"{addresses['functions']}/{trigger.function}/", workflow=False)
        concurrency = instances[trigger.function or ""]
    return Route(
        name=trigger.name,
        subscription=topics.subscribe(trigger.name, topic, trigger.delivery, filter_),
        topic=topic,
        bucket=trigger.bucket,
        destination=destination,
        timeout_seconds=trigger.delivery.ack_deadline_seconds - REDELIVERY_MARGIN_SECONDS,
        concurrency=concurrency,
    )


def _create_bucket(storage: str, project: str, bucket: str) -> None:
    if requests.get(f"{storage}/storage/v1/b/{bucket}", timeout=TIMEOUT_SECONDS).status_code == 404:
        body = {"name": bucket}
        reply = requests.post(
            f"{storage}/storage/v1/b", params={"project": project}, json=body, timeout=TIMEOUT_SECONDS
        )
        reply.raise_for_status()


def _deploy(addresses: Mapping[str, str], parent: str, workflow: Workflow) -> None:
    """Create or update a workflow. Its variables name the local endpoints beside those of the wiring file."""
    collection = f"{addresses['workflows']}/v1/{parent}/workflows"
    endpoints = {"STORAGE_ENDPOINT": addresses["storage"], "PUBSUB_ENDPOINT": addresses["pubsub_rest"]}
    body = {
        "sourceContents": workflow.source.read_text(encoding="utf-8"),
        "userEnvVars": {**endpoints, **workflow.environment},
    }
    reply = requests.get(f"{collection}/{workflow.name}", timeout=TIMEOUT_SECONDS)
    if reply.status_code == 404:
        reply = requests.post(collection, params={"workflowId": workflow.name}, json=body, timeout=TIMEOUT_SECONDS)
    elif any(reply.json().get(key) != value for key, value in body.items()):
        mask = {"updateMask": ",".join(body)}
        reply = requests.patch(f"{collection}/{workflow.name}", params=mask, json=body, timeout=TIMEOUT_SECONDS)
    else:
        return
    _raise_for(reply)
    error = reply.json().get("error")
    if error is not None:
        raise CannotStart(f"workflow {workflow.name} was refused: {error.get('message')}")


def _put(url: str, body: Mapping[str, Any]) -> None:
    """Create a Pub/Sub resource; one that exists is left as it is."""
    reply = requests.put(url, json=body, timeout=TIMEOUT_SECONDS)
    if reply.status_code != 409:
        _raise_for(reply)


def _raise_for(reply: requests.Response) -> None:
    if not reply.ok:
        raise CannotStart(f"{reply.request.method} {reply.url} answered {reply.status_code}: {reply.text[:2000]}")
