"""Eventarc: changes of buckets and topics, delivered to functions and workflows as CloudEvents.

Each trigger has a Pub/Sub subscription of its own, with retries and a dead-letter topic; a message is acknowledged once
its destination answered 2xx. Delivery to a workflow is done when the execution is created.

Object changes reach Pub/Sub from the storage server. A change whose message was lost, because a process died between
writing the object and publishing, is found by listing the bucket: at the start, and every `RECONCILE_SECONDS`.

Differs: Eventarc drops duplicates of an event for 24 hours before it starts a workflow; here a repeated message starts
another execution, which the workflow must be able to take anyway.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import requests
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler

from . import cloudevents
from .process import announce
from .reconcile import BucketWatch

LOG = logging.getLogger(__name__)
RECONCILE_SECONDS = 15.0


class Destination(msgspec.Struct, frozen=True):
    """Where events go: a function's address, or a workflow's resource name and the address of its API."""

    url: str
    workflow: bool


class Route(msgspec.Struct, frozen=True):
    """One trigger: what it listens to, its subscription, and its destination.

    `bucket` is None where `topic` carries messages of the application's own; `concurrency` is how many requests may be
    under way.
    """

    name: str
    subscription: str
    topic: str
    bucket: str | None
    destination: Destination
    timeout_seconds: float
    concurrency: int


class Routes(msgspec.Struct, frozen=True):
    """The router's configuration file."""

    routes: tuple[Route, ...]
    storage: str
    storage_topic: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--routes", type=Path, required=True, help="JSON file of triggers, written by the stack")


async def serve(arguments: argparse.Namespace) -> None:
    """Deliver until cancelled; PUBSUB_EMULATOR_HOST says where the subscriptions live."""
    config = msgspec.json.decode(arguments.routes.read_bytes(), type=Routes)
    watch = BucketWatch(arguments.data / "eventarc.sqlite3", config.storage)
    subscriber = pubsub_v1.SubscriberClient()
    publisher = pubsub_v1.PublisherClient()
    buckets = sorted({route.bucket for route in config.routes if route.bucket is not None})
    for bucket in buckets:
        watch.start(bucket)
    pulls = []
    for route in config.routes:
        pulls.append(
            subscriber.subscribe(
                route.subscription,
                callback=_deliverer(route, watch),
                flow_control=pubsub_v1.types.FlowControl(max_messages=route.concurrency, max_lease_duration=3600),
                scheduler=ThreadScheduler(
                    executor=ThreadPoolExecutor(route.concurrency, thread_name_prefix=route.name)
                ),
                await_callbacks_on_shutdown=False,
            )
        )
    announce("eventarc", {}, arguments.data)
    try:
        while True:
            await asyncio.to_thread(_reconcile, watch, buckets, publisher, config.storage_topic)
            await asyncio.sleep(RECONCILE_SECONDS)
    finally:
        for pull in pulls:
            pull.cancel()


def _deliverer(route: Route, watch: BucketWatch) -> Callable[[Message], None]:
    """What is done with each message of a trigger's subscription; runs in a pool thread."""
    session = requests.Session()

    def deliver(message: Message) -> None:
        try:
            event = cloudevents.from_message(message, route.topic, route.subscription, route.bucket)
            if event is None:
                message.ack()
                return
            if route.bucket is not None:
                watch.saw(event.data["bucket"], event.data["name"], int(event.data["generation"]))
            if route.destination.workflow:
                reply = session.post(
                    f"{route.destination.url}/executions",
                    json={"argument": json.dumps(event.as_json())},
                    timeout=route.timeout_seconds,
                )
            else:
                reply = session.post(
                    route.destination.url, data=event.body(), headers=event.headers(), timeout=route.timeout_seconds
                )
        except requests.RequestException as error:
            _refused(route, message, str(error))
            return
        if reply.ok:
            message.ack()
        else:
            _refused(route, message, f"HTTP {reply.status_code}")

    return deliver


def _refused(route: Route, message: Message, why: str) -> None:
    LOG.warning(
        "not delivered, will be retried",
        extra={"fields": {"trigger": route.name, "why": why, "attempt": message.delivery_attempt}},
    )
    message.nack()


def _reconcile(
    watch: BucketWatch, buckets: list[str], publisher: pubsub_v1.PublisherClient, storage_topic: str
) -> None:
    """Publish the change of every object that no message told of; what fails now is done the next time."""
    try:
        for bucket in buckets:
            for resource in watch.unseen(bucket):
                attributes = cloudevents.notification_attributes(resource)
                publisher.publish(storage_topic, json.dumps(resource).encode(), **attributes).result(timeout=30)
                watch.saw(bucket, resource["name"], int(resource["generation"]))
    except (requests.RequestException, GoogleAPICallError, TimeoutError) as error:
        LOG.warning("reconciliation failed, will be tried again", extra={"fields": {"why": str(error)}})
