"""The Pub/Sub API as functions from request message to response message; gRPC and REST both serve these."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.clock import Clock
from localcloud.http import GoogleError

from . import wire
from .backlog import Consumer
from .subscription import Delivery
from .topics import MAX_REQUEST_BYTES, Broker

PULL_WAIT_SECONDS = 5  # how long a pull waits for a first message when it may wait; the service tells no number
MAX_PULL_MESSAGES = 1_000
PAGE_SIZE = 100
INVALID_ACK_ID = "PERMANENT_FAILURE_INVALID_ACK_ID"


@dataclass(frozen=True, slots=True)
class Method:
    """One unary method: the class of its request and what answers it."""

    request: Any
    call: Callable[[wire.Proto], Awaitable[wire.Proto]]


class PubSub:
    """Every unary method of the Publisher and Subscriber services."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self.broker = broker
        self._clock = clock

    def methods(self) -> Mapping[str, Method]:
        """By full name, ``google.pubsub.v1.Publisher/CreateTopic``."""
        publisher: dict[str, Method] = {
            "CreateTopic": Method(wire.Topic, self.create_topic),
            "UpdateTopic": Method(wire.UpdateTopicRequest, self.update_topic),
            "Publish": Method(wire.PublishRequest, self.publish),
            "GetTopic": Method(wire.GetTopicRequest, self.get_topic),
            "ListTopics": Method(wire.ListTopicsRequest, self.list_topics),
            "ListTopicSubscriptions": Method(wire.ListTopicSubscriptionsRequest, self.list_topic_subscriptions),
            "DeleteTopic": Method(wire.DeleteTopicRequest, self.delete_topic),
        }
        subscriber: dict[str, Method] = {
            "CreateSubscription": Method(wire.Subscription, self.create_subscription),
            "GetSubscription": Method(wire.GetSubscriptionRequest, self.get_subscription),
            "UpdateSubscription": Method(wire.UpdateSubscriptionRequest, self.update_subscription),
            "ListSubscriptions": Method(wire.ListSubscriptionsRequest, self.list_subscriptions),
            "DeleteSubscription": Method(wire.DeleteSubscriptionRequest, self.delete_subscription),
            "ModifyAckDeadline": Method(wire.ModifyAckDeadlineRequest, self.modify_ack_deadline),
            "Acknowledge": Method(wire.AcknowledgeRequest, self.acknowledge),
            "Pull": Method(wire.PullRequest, self.pull),
            "ModifyPushConfig": Method(wire.ModifyPushConfigRequest, self.modify_push_config),
            "Seek": Method(wire.SeekRequest, self.seek),
        }
        return {f"google.pubsub.v1.Publisher/{name}": method for name, method in publisher.items()} | {
            f"google.pubsub.v1.Subscriber/{name}": method for name, method in subscriber.items()
        }

    async def create_topic(self, request: wire.Proto) -> wire.Proto:
        return self.broker.create_topic(request)

    async def update_topic(self, request: wire.Proto) -> wire.Proto:
        return self.broker.update_topic(request.topic, request.update_mask.paths)

    async def publish(self, request: wire.Proto) -> wire.Proto:
        if (size := request.ByteSize()) > MAX_REQUEST_BYTES:
            raise GoogleError(
                "INVALID_ARGUMENT", f"a publish request of {size} bytes; allowed are {MAX_REQUEST_BYTES}: send fewer"
            )
        return wire.PublishResponse(message_ids=self.broker.publish(request.topic, request.messages))

    async def get_topic(self, request: wire.Proto) -> wire.Proto:
        return self.broker.topic(request.topic)

    async def list_topics(self, request: wire.Proto) -> wire.Proto:
        page, token = _page(self.broker.topics(request.project), request)
        return wire.ListTopicsResponse(topics=page, next_page_token=token)

    async def list_topic_subscriptions(self, request: wire.Proto) -> wire.Proto:
        page, token = _page(self.broker.topic_subscriptions(request.topic), request)
        return wire.ListTopicSubscriptionsResponse(subscriptions=page, next_page_token=token)

    async def delete_topic(self, request: wire.Proto) -> wire.Proto:
        self.broker.delete_topic(request.topic)
        return wire.Empty()

    async def create_subscription(self, request: wire.Proto) -> wire.Proto:
        return self.broker.create_subscription(request)

    async def get_subscription(self, request: wire.Proto) -> wire.Proto:
        return self.broker.subscription_resource(request.subscription)

    async def update_subscription(self, request: wire.Proto) -> wire.Proto:
        return self.broker.update_subscription(request.subscription, request.update_mask.paths)

    async def list_subscriptions(self, request: wire.Proto) -> wire.Proto:
        page, token = _page(self.broker.subscription_resources(request.project), request)
        return wire.ListSubscriptionsResponse(subscriptions=page, next_page_token=token)

    async def delete_subscription(self, request: wire.Proto) -> wire.Proto:
        self.broker.delete_subscription(request.subscription)
        return wire.Empty()

    async def modify_push_config(self, request: wire.Proto) -> wire.Proto:
        update = wire.Subscription(name=request.subscription, push_config=request.push_config)
        self.broker.update_subscription(update, ["push_config"])
        return wire.Empty()

    async def modify_ack_deadline(self, request: wire.Proto) -> wire.Proto:
        subscription = self.broker.subscription(request.subscription)
        refuse(subscription.modify_deadlines([(ack_id, request.ack_deadline_seconds) for ack_id in _ack_ids(request)]))
        return wire.Empty()

    async def acknowledge(self, request: wire.Proto) -> wire.Proto:
        subscription = self.broker.subscription(request.subscription)
        refuse(subscription.acknowledge(_ack_ids(request)))
        return wire.Empty()

    async def pull(self, request: wire.Proto) -> wire.Proto:
        """Up to max_messages, waiting for a first one unless return_immediately; empty when none came."""
        subscription = self.broker.subscription(request.subscription)
        if request.max_messages <= 0:
            raise GoogleError("INVALID_ARGUMENT", f"max_messages is {request.max_messages}; allowed is 1 and more")
        limit = min(request.max_messages, MAX_PULL_MESSAGES)
        consumer = Consumer()
        subscription.attach(consumer)
        try:
            if request.return_immediately:
                return pull_response(subscription.take(consumer, limit))
            timer = asyncio.create_task(self._close_after(consumer, PULL_WAIT_SECONDS))
            try:
                return pull_response(await subscription.deliveries(consumer, limit))
            finally:
                timer.cancel()
        finally:
            subscription.detach(consumer)

    async def seek(self, request: wire.Proto) -> wire.Proto:
        """Differs: acknowledged messages are gone for good, so a seek forgets but never brings back."""
        if request.WhichOneof("target") != "time":
            raise GoogleError(
                "UNIMPLEMENTED", "Seek to a snapshot is not available in the local Pub/Sub; seek to a time"
            )
        self.broker.subscription(request.subscription).forget_published_before(request.time.ToNanoseconds() / 1e9)
        return wire.SeekResponse()

    async def _close_after(self, consumer: Consumer, seconds: float) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self._clock.sleep(seconds)
            consumer.closed = True
            consumer.wake.set()


def pull_response(deliveries: Sequence[Delivery]) -> wire.Proto:
    """The PullResponse with these messages."""
    response = wire.PullResponse()
    add_deliveries(response, deliveries)
    return response


def add_deliveries(response: wire.Proto, deliveries: Sequence[Delivery]) -> None:
    """Append messages to a PullResponse or StreamingPullResponse."""
    for delivery in deliveries:
        received = response.received_messages.add()
        received.ack_id = delivery.ack_id
        received.message.ParseFromString(delivery.body)
        if delivery.attempt:
            received.delivery_attempt = delivery.attempt


def refuse(ack_ids: Sequence[str]) -> None:
    """Raise what exactly-once delivery answers for outdated ack ids; nothing when there are none."""
    if ack_ids:
        raise GoogleError(
            "FAILED_PRECONDITION",
            f"{len(ack_ids)} ack ids are outdated: their ack deadline has passed or they were acknowledged before",
            [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": INVALID_ACK_ID,
                    "domain": "pubsub.googleapis.com",
                    "metadata": dict.fromkeys(ack_ids, INVALID_ACK_ID),
                }
            ],
        )


def _ack_ids(request: wire.Proto) -> list[str]:
    if not request.ack_ids:
        raise GoogleError("INVALID_ARGUMENT", "ack_ids is empty; name at least one")
    return list(request.ack_ids)


def _page(items: Sequence[Any], request: wire.Proto) -> tuple[Sequence[Any], str]:
    """The asked page of a list, and the token of the next one (empty at the end)."""
    token = request.page_token
    if token and not token.isdecimal():
        raise GoogleError("INVALID_ARGUMENT", f"invalid page_token {token!r}: pass on one that a list has returned")
    start = int(token or 0)
    end = start + (request.page_size if request.page_size > 0 else PAGE_SIZE)
    return items[start:end], str(end) if end < len(items) else ""
