"""Push delivery to a real HTTP endpoint, with leases and backoff on a hand-driven clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from local_pubsub import DEAD_TOPIC, SUBSCRIPTION, TOPIC, Local

from localcloud.pubsub import wire
from localcloud.pubsub.push import Pushers
from localcloud.pubsub.topics import Broker

pytestmark = pytest.mark.anyio


@dataclass
class Endpoint:
    """A server that keeps what it is sent and answers as told; `answer` 0 means no answer at all."""

    url: str = ""
    answer: int = 204
    requests: asyncio.Queue[tuple[str, dict[str, str], bytes]] = field(default_factory=asyncio.Queue)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request_line := await reader.readline():
                headers = {}
                while (line := (await reader.readline()).decode().strip()) != "":
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.put_nowait((request_line.decode().split()[1], headers, body))
                if self.answer:
                    writer.write(f"HTTP/1.1 {self.answer} X\r\nContent-Length: 0\r\n\r\n".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def next(self) -> dict[str, Any]:
        """The body of the next request."""
        _, _, body = await asyncio.wait_for(self.requests.get(), 10)
        value: dict[str, Any] = json.loads(body)
        return value


@pytest.fixture
async def endpoint(anyio_backend: str) -> AsyncIterator[Endpoint]:
    """An HTTP endpoint in the test's own loop."""
    running = Endpoint()
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/projects/p/topics/topic"
    yield running
    server.close()


@pytest.fixture
async def pushing(local: Local, anyio_backend: str) -> AsyncIterator[Local]:
    """The broker with its pushers."""
    pushers = Pushers(local.clock)
    local.broker = Broker(local.store, local.clock, pushers.follow)
    local.api.broker = local.broker
    yield local
    await pushers.stop()


async def until(local: Local, condition: Any) -> None:
    """Let the loop run until `condition` holds."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not happen")


def left(local: Local) -> int:
    """How many messages await acknowledgement."""
    return len(list(local.store.after(local.broker.subscription(SUBSCRIPTION).number, 0)))


async def test_the_body_of_a_push(pushing: Local, endpoint: Endpoint) -> None:
    """The documented JSON is posted to the very address that was given, and a 2xx acknowledges."""
    pushing.subscription(push_config={"push_endpoint": endpoint.url}, enable_message_ordering=True)
    (message_id,) = pushing.publish("hello", key="k", color="red")
    path, headers, body = await asyncio.wait_for(endpoint.requests.get(), 10)
    assert path == "/projects/p/topics/topic"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "subscription": SUBSCRIPTION,
        "message": {
            "data": "aGVsbG8=",
            "attributes": {"color": "red"},
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": "2025-06-15T15:06:40Z",
            "publish_time": "2025-06-15T15:06:40Z",
            "orderingKey": "k",
        },
    }
    await until(pushing, lambda: left(pushing) == 0)


async def test_failures_back_off_and_end_as_dead_letters(pushing: Local, endpoint: Endpoint) -> None:
    """Each refusal doubles the rest before the next post; the last one moves the message."""
    endpoint.answer = 500
    pushing.topic(DEAD_TOPIC)
    pushing.subscription("projects/p/subscriptions/dead", DEAD_TOPIC)
    pushing.subscription(
        push_config={"push_endpoint": endpoint.url},
        dead_letter_policy={"dead_letter_topic": DEAD_TOPIC, "max_delivery_attempts": 5},
        retry_policy={"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 4}},
        ack_deadline_seconds=600,
    )
    pushing.publish("poison")
    for attempt, rest_seconds in enumerate((1, 2, 4, 4), start=1):
        assert (await endpoint.next())["deliveryAttempt"] == attempt
        due = pushing.clock.now() + rest_seconds
        await until(pushing, lambda due=due: pushing.clock.next_deadline() == due)
        await pushing.clock.advance(rest_seconds)
    assert (await endpoint.next())["deliveryAttempt"] == 5
    await until(pushing, lambda: left(pushing) == 0)
    assert pushing.bodies(name="projects/p/subscriptions/dead") == ["poison"]


async def test_an_endpoint_that_does_not_answer(pushing: Local, endpoint: Endpoint) -> None:
    """When the ack deadline passes without an answer the request is dropped and the message posted again."""
    endpoint.answer = 0
    pushing.subscription(push_config={"push_endpoint": endpoint.url}, ack_deadline_seconds=20)
    pushing.publish("slow")
    await endpoint.next()
    endpoint.answer = 200
    await pushing.clock.advance(20.1)
    assert (await endpoint.next())["message"]["data"] == "c2xvdw=="
    await until(pushing, lambda: left(pushing) == 0)


async def test_an_unreachable_endpoint_is_tried_again(pushing: Local, endpoint: Endpoint) -> None:
    """A refused connection counts as a failure like any other; no message is lost."""
    pushing.subscription(push_config={"push_endpoint": "http://127.0.0.1:9/"})
    pushing.publish("patient")
    await until(pushing, lambda: pushing.clock.next_deadline() == pushing.clock.now() + 0.1)
    config = wire.ModifyPushConfigRequest(subscription=SUBSCRIPTION, push_config={"push_endpoint": endpoint.url})
    await pushing.api.modify_push_config(config)
    await pushing.clock.advance(0.1)
    assert (await endpoint.next())["message"]["data"] == "cGF0aWVudA=="


async def test_an_empty_push_config_makes_it_a_pull_subscription(pushing: Local, endpoint: Endpoint) -> None:
    """ModifyPushConfig without an endpoint stops the posts; pulls get the messages."""
    pushing.subscription(push_config={"push_endpoint": endpoint.url})
    await pushing.api.modify_push_config(wire.ModifyPushConfigRequest(subscription=SUBSCRIPTION))
    await asyncio.sleep(0)
    pushing.publish("pulled")
    assert pushing.bodies() == ["pulled"]


async def test_one_request_per_ordering_key_at_a_time(pushing: Local, endpoint: Endpoint) -> None:
    """The next message of a key is posted only after the one before was acknowledged."""
    endpoint.answer = 0
    pushing.subscription(push_config={"push_endpoint": endpoint.url}, enable_message_ordering=True)
    pushing.publish("1", "2", key="k")
    pushing.publish("other", key="l")
    first = {(await endpoint.next())["message"]["data"] for _ in range(2)}
    assert first == {"MQ==", "b3RoZXI="}
    assert endpoint.requests.empty()


async def test_push_without_wrapper(pushing: Local, endpoint: Endpoint) -> None:
    """no_wrapper posts the bare data, with the metadata in headers when asked for."""
    push = {"push_endpoint": endpoint.url, "no_wrapper": {"write_metadata": True}}
    pushing.subscription(push_config=push)
    (message_id,) = pushing.publish("bare", color="red")
    _, headers, body = await asyncio.wait_for(endpoint.requests.get(), 10)
    assert body == b"bare"
    assert headers["x-goog-pubsub-message-id"] == message_id
    assert headers["x-goog-pubsub-subscription-name"] == SUBSCRIPTION
    assert headers["color"] == "red"


async def test_a_deleted_push_subscription_posts_no_more(pushing: Local, endpoint: Endpoint) -> None:
    """Deletion stops the pusher."""
    pushing.subscription(push_config={"push_endpoint": endpoint.url})
    pushing.broker.delete_subscription(SUBSCRIPTION)
    pushing.publish("nobody", topic=TOPIC)
    await asyncio.sleep(0.01)
    assert endpoint.requests.empty()
