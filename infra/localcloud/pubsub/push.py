"""Push delivery: posts the messages of one subscription to its endpoint and turns each answer into an ack or a nack."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
from typing import Any

import httpx

from localcloud.clock import Clock
from localcloud.http import GoogleError

from . import wire
from .backlog import Consumer
from .resources import Push
from .subscription import Delivery, Subscription

CONCURRENCY = 16  # Differs: the service starts with few requests and adds more while the endpoint keeps up
LOG = logging.getLogger(__name__)


class Pusher:
    """Delivers one push subscription until it is stopped."""

    def __init__(self, subscription: Subscription, push: Push, clock: Clock) -> None:
        self.push = push
        self._subscription = subscription
        self._clock = clock
        self._task = asyncio.create_task(self._run(), name=f"push {subscription.name}")

    async def stop(self) -> None:
        """Break off the requests under way; their messages are delivered again after the ack deadline."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=CONCURRENCY)
        slots = asyncio.Semaphore(CONCURRENCY)
        # trust_env: a proxy set for the internet must not get requests for this machine.
        async with (
            httpx.AsyncClient(limits=limits, timeout=None, trust_env=False) as http,
            asyncio.TaskGroup() as group,
        ):
            with contextlib.suppress(GoogleError):  # the subscription has ended
                while True:
                    await slots.acquire()
                    delivery = await self._next()
                    group.create_task(self._deliver(http, delivery)).add_done_callback(lambda _: slots.release())

    async def _next(self) -> Delivery:
        # A consumer for each message, so that an ordering key has only one request under way.
        consumer = Consumer()
        self._subscription.attach(consumer)
        try:
            (delivery,) = await self._subscription.deliveries(consumer, 1)
            return delivery
        finally:
            self._subscription.detach(consumer)

    async def _deliver(self, http: httpx.AsyncClient, delivery: Delivery) -> None:
        content, headers = self._request(delivery)
        post = asyncio.create_task(self._post(http, content, headers))
        deadline = asyncio.create_task(self._clock.sleep(self._subscription.settings.ack_deadline_seconds))
        try:
            await asyncio.wait({post, deadline}, return_when=asyncio.FIRST_COMPLETED)
            if not post.done():
                return  # the lease ends now too, and with it this delivery
            if post.result():
                self._subscription.acknowledge([delivery.ack_id])
            else:
                self._subscription.modify_deadlines([(delivery.ack_id, 0)])
        finally:
            post.cancel()
            deadline.cancel()

    async def _post(self, http: httpx.AsyncClient, content: bytes, headers: dict[str, str]) -> bool:
        fields = {"subscription": self._subscription.name, "endpoint": self.push.endpoint}
        try:
            response = await http.post(self.push.endpoint, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            LOG.warning("push failed: %s", error or type(error).__name__, extra={"fields": fields})
            return False
        if not response.is_success:
            LOG.warning("push answered %d", response.status_code, extra={"fields": fields})
        return response.is_success

    def _request(self, delivery: Delivery) -> tuple[bytes, dict[str, str]]:
        message = wire.PubsubMessage.FromString(delivery.body)
        if self.push.wrapped:
            body = wrapped_body(self._subscription.name, message, delivery.attempt)
            return json.dumps(body).encode(), {"Content-Type": "application/json"}
        headers = {"Content-Type": "application/octet-stream"}
        if self.push.write_metadata:
            headers |= {
                "x-goog-pubsub-subscription-name": self._subscription.name,
                "x-goog-pubsub-message-id": message.message_id,
                "x-goog-pubsub-publish-time": message.publish_time.ToJsonString(),
                **({"x-goog-pubsub-ordering-key": message.ordering_key} if message.ordering_key else {}),
                **message.attributes,
            }
        return message.data, headers


def wrapped_body(subscription: str, message: wire.Proto, attempt: int) -> dict[str, Any]:
    """The JSON of a push request, with both spellings of id and time as the service sends them."""
    published = message.publish_time.ToJsonString()
    inner: dict[str, Any] = {
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    if message.data:
        inner["data"] = base64.b64encode(message.data).decode()
    if message.attributes:
        inner["attributes"] = dict(message.attributes)
    if message.ordering_key:
        inner["orderingKey"] = message.ordering_key
    body: dict[str, Any] = {"message": inner, "subscription": subscription}
    if attempt:
        body["deliveryAttempt"] = attempt
    return body


class Pushers:
    """Keeps one `Pusher` for every subscription that has an endpoint."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[str, Pusher] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    def follow(self, subscription: Subscription) -> None:
        """Start, restart or stop pushing as the subscription's settings ask now."""
        push = subscription.settings.push if not subscription.ended else None
        running = self._running.get(subscription.name)
        if running is not None and running.push != push:
            del self._running[subscription.name]
            stop = asyncio.create_task(running.stop())
            self._stopping.add(stop)
            stop.add_done_callback(self._stopping.discard)
            running = None
        if running is None and push is not None:
            self._running[subscription.name] = Pusher(subscription, push, self._clock)

    async def stop(self) -> None:
        """Stop all of them."""
        await asyncio.gather(*(pusher.stop() for pusher in self._running.values()), *self._stopping)
        self._running.clear()
