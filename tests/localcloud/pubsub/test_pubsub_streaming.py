"""StreamingPull and gRPC errors on the wire, with the raw stubs and with the unmodified clients."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber import exceptions as subscriber_exceptions
from local_pubsub import DEAD_TOPIC, SUBSCRIPTION, TOPIC, Local

from localcloud.clock import ManualClock
from localcloud.pubsub import running_pubsub, wire
from localcloud.pubsub.backlog import Consumer
from localcloud.pubsub.grpc_api import StreamingPull

pytestmark = pytest.mark.anyio


class Wire:
    """Raw calls on one channel."""

    def __init__(self, address: str, clock: ManualClock) -> None:
        self.address = address
        self.clock = clock
        self.channel = grpc.aio.insecure_channel(address)

    async def call(self, service: str, method: str, request: Any, response: Any) -> Any:
        name = f"/google.pubsub.v1.{service}/{method}"
        return await self.channel.unary_unary(name, type(request).SerializeToString, response.FromString)(request)

    async def create(self, **fields: Any) -> None:
        await self.call("Publisher", "CreateTopic", wire.Topic(name=TOPIC), wire.Topic)
        subscription = wire.Subscription(name=SUBSCRIPTION, topic=TOPIC, **fields)
        await self.call("Subscriber", "CreateSubscription", subscription, wire.Subscription)

    async def publish(self, *bodies: bytes) -> None:
        request = wire.PublishRequest(topic=TOPIC, messages=[wire.PubsubMessage(data=body) for body in bodies])
        await self.call("Publisher", "Publish", request, wire.PublishResponse)

    async def stream(self, **fields: Any) -> Any:
        """An open stream whose first, empty response was read."""
        stream = self.channel.stream_stream(
            "/google.pubsub.v1.Subscriber/StreamingPull",
            wire.StreamingPullRequest.SerializeToString,
            wire.StreamingPullResponse.FromString,
        )()
        fields = {"subscription": SUBSCRIPTION, "stream_ack_deadline_seconds": 10} | fields
        await stream.write(wire.StreamingPullRequest(**fields))
        return stream


@pytest.fixture
async def remote(anyio_backend: str, tmp_path: Path) -> AsyncIterator[Wire]:
    """A service on a hand-driven clock, reached by gRPC."""
    clock = ManualClock()
    async with running_pubsub(tmp_path, clock) as addresses:
        client = Wire(addresses["grpc"], clock)
        yield client
        await client.channel.close()


async def bodies(stream: Any) -> list[bytes]:
    """The messages of the next response."""
    response = await asyncio.wait_for(stream.read(), 10)
    return [received.message.data for received in response.received_messages]


async def test_the_first_response_tells_the_properties(remote: Wire) -> None:
    """A client learns from the stream whether ordering and exactly-once are on."""
    await remote.create(enable_message_ordering=True, enable_exactly_once_delivery=True)
    first = await (await remote.stream()).read()
    assert first.subscription_properties.message_ordering_enabled
    assert first.subscription_properties.exactly_once_delivery_enabled


async def test_the_stream_deadline_rules_its_leases(remote: Wire) -> None:
    """Leases last as long as the stream says, and a later request can change that."""
    await remote.create(ack_deadline_seconds=600)
    stream = await remote.stream(stream_ack_deadline_seconds=20, max_outstanding_messages=1)
    assert await bodies(stream) == []
    await remote.publish(b"m")
    assert await bodies(stream) == [b"m"]
    await stream.write(wire.StreamingPullRequest(stream_ack_deadline_seconds=30))
    await remote.clock.advance(20)
    assert await bodies(stream) == [b"m"]
    await remote.clock.advance(29)
    waiting = asyncio.create_task(bodies(stream))
    await remote.clock.advance(0.9)
    assert not waiting.done()
    await remote.clock.advance(0.1)
    assert await waiting == [b"m"]


async def test_acks_and_deadlines_on_the_stream(remote: Wire) -> None:
    """Older clients acknowledge and nack on the stream itself; exactly-once confirms."""
    await remote.create(enable_exactly_once_delivery=True)
    stream = await remote.stream()
    await stream.read()
    await remote.publish(b"a", b"b")
    first, second = (await stream.read()).received_messages
    await stream.write(
        wire.StreamingPullRequest(
            ack_ids=[first.ack_id], modify_deadline_ack_ids=[second.ack_id, "1-1"], modify_deadline_seconds=[0, 10]
        )
    )
    confirmed = await stream.read()
    assert list(confirmed.acknowledge_confirmation.ack_ids) == [first.ack_id]
    assert list(confirmed.modify_ack_deadline_confirmation.ack_ids) == [second.ack_id]
    assert list(confirmed.modify_ack_deadline_confirmation.invalid_ack_ids) == ["1-1"]
    assert await bodies(stream) == [b"b"]


async def test_a_half_closed_stream_ends(remote: Wire) -> None:
    """When the client has finished writing, the stream ends without an error."""
    await remote.create()
    stream = await remote.stream()
    await stream.read()
    await stream.done_writing()
    assert await asyncio.wait_for(stream.code(), 10) == grpc.StatusCode.OK


async def test_heartbeats_for_clients_that_watch_them(remote: Wire) -> None:
    """Protocol version 1 gets an empty response every 30 seconds."""
    await remote.create()
    stream = await remote.stream(protocol_version=1)
    await stream.read()
    await remote.clock.advance(30)
    assert await bodies(stream) == []


async def test_what_could_not_be_sent_is_delivered_at_once(local: Local) -> None:
    """When the client has left before a response went out, its messages do not wait for the ack deadline."""
    local.subscription(dead_letter_policy={"dead_letter_topic": local.topic(DEAD_TOPIC)})
    local.publish("m")

    async def requests() -> AsyncIterator[Any]:
        yield wire.StreamingPullRequest(subscription=SUBSCRIPTION, stream_ack_deadline_seconds=10)
        await asyncio.Event().wait()

    responses = StreamingPull(local.api, local.clock).handle(requests(), None)
    await anext(responses)
    (unsent,) = (await anext(responses)).received_messages
    assert unsent.delivery_attempt == 1
    await responses.aclose()
    (delivery,) = local.broker.subscription(SUBSCRIPTION).take(Consumer(), 1)
    assert delivery.attempt == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"subscription": "projects/p/subscriptions/missing"}, grpc.StatusCode.NOT_FOUND),
        ({"stream_ack_deadline_seconds": 9}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"modify_deadline_ack_ids": ["1-1"]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"ack_ids": ["garbage"]}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_a_wrong_first_request_ends_the_stream(remote: Wire, fields: Any, status: grpc.StatusCode) -> None:
    """The stream ends with the reason as its status."""
    await remote.create()
    stream = await remote.stream(**fields)
    assert await asyncio.wait_for(stream.code(), 10) == status


async def test_a_wrong_later_request_ends_the_stream(remote: Wire) -> None:
    """The same holds for what comes later on the stream."""
    await remote.create()
    stream = await remote.stream()
    await stream.read()
    await stream.write(wire.StreamingPullRequest(ack_ids=["garbage"]))
    assert await asyncio.wait_for(stream.code(), 10) == grpc.StatusCode.INVALID_ARGUMENT


async def test_shutdown_ends_streams_as_unavailable(tmp_path: Path) -> None:
    """Clients reconnect after UNAVAILABLE, so that is what a stopping service says."""
    async with running_pubsub(tmp_path) as addresses:
        client = Wire(addresses["grpc"], ManualClock())
        await client.create()
        stream = await client.stream()
        await stream.read()
    assert await asyncio.wait_for(stream.code(), 10) == grpc.StatusCode.UNAVAILABLE
    await client.channel.close()


@pytest.mark.parametrize(
    "method", ["Subscriber/CreateSnapshot", "SchemaService/ListSchemas", "Publisher/DetachSubscription"]
)
async def test_what_is_missing_is_refused_by_name(remote: Wire, method: str) -> None:
    """Methods that the local service does not have say so."""
    call = remote.channel.unary_unary(f"/google.pubsub.v1.{method}")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert method in caught.value.details()


async def test_a_message_of_nearly_ten_megabytes_passes(remote: Wire) -> None:
    """The largest message of the service is taken, and one larger is refused by us, not by the channel."""
    await remote.create()
    await remote.publish(bytes(9_900_000))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await remote.publish(bytes(10_500_000))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_exactly_once_with_the_real_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ack_with_response succeeds once and says INVALID_ACK_ID for an id that is no longer good."""
    async with running_pubsub(tmp_path) as addresses:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", addresses["grpc"])
        await asyncio.to_thread(_acknowledge_twice)


def _acknowledge_twice() -> None:
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    publisher.create_topic(name=TOPIC)
    subscriber.create_subscription(request={"name": SUBSCRIPTION, "topic": TOPIC, "enable_exactly_once_delivery": True})
    outcomes: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work(message: Any) -> None:
        subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=[message.ack_id])
        outcomes.put(message.ack_with_response())

    stream = subscriber.subscribe(SUBSCRIPTION, work)
    publisher.publish(TOPIC, b"m").result(10)
    with pytest.raises(subscriber_exceptions.AcknowledgeError) as caught:
        outcomes.get(timeout=10).result(10)
    assert caught.value.error_code == subscriber_exceptions.AcknowledgeStatus.INVALID_ACK_ID
    stream.cancel()
    stream.result(10)
    publisher.stop()
    subscriber.close()
