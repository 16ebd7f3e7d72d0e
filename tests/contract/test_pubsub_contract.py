"""What Pub/Sub promises, held against the embedded server and against Google's own emulator.

One body of tests with unmodified clients. Where the official emulator is known to differ from the service, the table
`DIFFERENCES` says so, and the test must then really fail there.
"""

from __future__ import annotations

import json
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.protobuf import duration_pb2
from google.pubsub_v1 import types
from pubsub_backends import BACKENDS, NotInstalled

PATIENCE_SECONDS = 30  # for what must happen; only a failing test waits so long
PROJECT = "projects/contract"

# (backend, test) -> why the official emulator fails it.
DIFFERENCES = {
    ("official", "test_filter_selects_messages"): "0.8.20 keeps filters and ignores them",
    ("official", "test_wrong_filter_is_refused"): "0.8.20 accepts wrong filter syntax",
    ("official", "test_retry_policy_delays_redelivery"): "0.8.20 keeps retry policies and ignores them",
    ("official", "test_nack_replays_later_messages_of_the_key"): "0.8.20 replays only the message itself",
    ("official", "test_a_short_ack_deadline_is_refused"): "0.8.20 does not check the bounds",
    ("official", "test_topic_labels_can_change"): "0.8.20 does not update topics",
}


class Cloud:
    """Two real clients of one backend, and names of their own for one test."""

    def __init__(self, address: str) -> None:
        self.publisher = pubsub_v1.PublisherClient(
            publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
        )
        self.subscriber = pubsub_v1.SubscriberClient()
        self._suffix = uuid.uuid4().hex[:8]

    def topic(self, name: str = "topic") -> str:
        path = f"{PROJECT}/topics/{name}-{self._suffix}"
        self.publisher.create_topic(name=path)
        return path

    def subscription(self, topic: str, name: str = "subscription", **fields: Any) -> str:
        path = f"{PROJECT}/subscriptions/{name}-{self._suffix}"
        self.subscriber.create_subscription(request={"name": path, "topic": topic, **fields})
        return path

    def publish(self, topic: str, *bodies: bytes, **attributes: str) -> list[str]:
        return [self.publisher.publish(topic, body, **attributes).result(PATIENCE_SECONDS) for body in bodies]

    def pull(self, subscription: str, count: int = 1) -> list[types.ReceivedMessage]:
        """Exactly `count` messages, waited for."""
        received: list[types.ReceivedMessage] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(received) < count and time.monotonic() < deadline:
            try:
                answer = self.subscriber.pull(
                    subscription=subscription, max_messages=count - len(received), timeout=PATIENCE_SECONDS
                )
            except exceptions.DeadlineExceeded:
                break
            received.extend(answer.received_messages)
        assert len(received) == count, f"{len(received)} of {count} messages came"
        return received

    def pull_now(self, subscription: str) -> list[types.ReceivedMessage]:
        """What is there at this moment."""
        answer = self.subscriber.pull(subscription=subscription, max_messages=100, return_immediately=True)
        return list(answer.received_messages)

    def acknowledge(self, subscription: str, *messages: types.ReceivedMessage) -> None:
        self.subscriber.acknowledge(subscription=subscription, ack_ids=[message.ack_id for message in messages])

    def set_deadline(self, subscription: str, seconds: int, *messages: types.ReceivedMessage) -> None:
        self.subscriber.modify_ack_deadline(
            subscription=subscription,
            ack_ids=[message.ack_id for message in messages],
            ack_deadline_seconds=seconds,
        )


@pytest.fixture(scope="module", params=list(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The name of a backend and its address."""
    try:
        process, address = BACKENDS[request.param](tmp_path_factory.mktemp(f"pubsub-{request.param}"))
    except NotInstalled as reason:
        pytest.skip(str(reason))
    yield request.param, address
    process.terminate()
    process.wait(PATIENCE_SECONDS)


@pytest.fixture
def cloud(backend: tuple[str, str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Clients of the backend; a known difference makes the test one that has to fail."""
    name, address = backend
    if reason := DIFFERENCES.get((name, request.function.__name__)):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    clients = Cloud(address)
    yield clients
    clients.publisher.stop()
    clients.subscriber.close()


def test_a_published_message_is_pulled_as_it_was(cloud: Cloud) -> None:
    """Data, attributes, the id that publish returned and a publish time arrive."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    (message_id,) = cloud.publish(topic, b"\x00\xffdata", color="red")
    (received,) = cloud.pull(subscription)
    assert received.message.data == b"\x00\xffdata"
    assert dict(received.message.attributes) == {"color": "red"}
    assert received.message.message_id == message_id
    assert abs(received.message.publish_time.timestamp() - time.time()) < 60
    assert received.delivery_attempt == 0


def test_an_acknowledged_message_does_not_come_back(cloud: Cloud) -> None:
    """After the acknowledgement nothing is left, even when the deadline would have passed."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"one")
    (received,) = cloud.pull(subscription)
    cloud.acknowledge(subscription, received)
    cloud.publish(topic, b"two")
    (second,) = cloud.pull(subscription)
    assert second.message.data == b"two"
    assert cloud.pull_now(subscription) == []


def test_a_nack_brings_the_message_back(cloud: Cloud) -> None:
    """A deadline of 0 makes a message available at once, under a new ack id."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"again")
    (first,) = cloud.pull(subscription)
    cloud.set_deadline(subscription, 0, first)
    (second,) = cloud.pull(subscription)
    assert second.message.message_id == first.message.message_id
    assert second.ack_id != first.ack_id


def test_a_passed_deadline_brings_the_message_back(cloud: Cloud) -> None:
    """Without acknowledgement a message is delivered again when its lease ends."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"late")
    (first,) = cloud.pull(subscription)
    cloud.set_deadline(subscription, 1, first)
    (second,) = cloud.pull(subscription)
    assert second.message.message_id == first.message.message_id


def test_every_subscription_gets_every_message(cloud: Cloud) -> None:
    """Fan-out: acknowledging on one subscription leaves the other's copy alone."""
    topic = cloud.topic()
    first, second = cloud.subscription(topic, "first"), cloud.subscription(topic, "second")
    cloud.publish(topic, b"a", b"b")
    cloud.acknowledge(first, *cloud.pull(first, 2))
    assert {received.message.data for received in cloud.pull(second, 2)} == {b"a", b"b"}


def test_a_subscription_sees_only_what_is_published_after_it(cloud: Cloud) -> None:
    """A topic without subscriptions keeps nothing."""
    topic = cloud.topic()
    cloud.publish(topic, b"before")
    subscription = cloud.subscription(topic)
    cloud.publish(topic, b"after")
    (received,) = cloud.pull(subscription)
    assert received.message.data == b"after"
    assert cloud.pull_now(subscription) == []


def test_dead_letters_after_the_last_attempt(cloud: Cloud) -> None:
    """Attempts are counted from 1; after the fifth nack the message is in the dead-letter topic with its origin."""
    topic, dead = cloud.topic(), cloud.topic("dead")
    dead_subscription = cloud.subscription(dead, "dead")
    subscription = cloud.subscription(topic, dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5})
    cloud.publish(topic, b"poison", color="red")
    attempts = []
    for _ in range(5):
        (received,) = cloud.pull(subscription)
        attempts.append(received.delivery_attempt)
        cloud.set_deadline(subscription, 0, received)
    assert cloud.pull_now(subscription) == []  # the official emulator moves a message only when it is pulled again
    (moved,) = cloud.pull(dead_subscription)
    assert attempts == [1, 2, 3, 4, 5]
    assert moved.message.data == b"poison"
    attributes = dict(moved.message.attributes)
    assert attributes["color"] == "red"
    assert attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == subscription.rsplit("/", 1)[1]
    assert attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] == "contract"
    assert "CloudPubSubDeadLetterSourceTopicPublishTime" in attributes


def test_messages_of_a_key_come_in_order(cloud: Cloud) -> None:
    """With ordering enabled a streaming subscriber sees each key's messages in the order of publishing."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic, enable_message_ordering=True)
    expected = {key: [f"{key}{number}".encode() for number in range(20)] for key in ("a", "b")}
    for pair in zip(*expected.values(), strict=True):
        for key, body in zip(expected, pair, strict=True):
            cloud.publisher.publish(topic, body, ordering_key=key)
    received: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    def take(message: Any) -> None:
        received.put((message.ordering_key, message.data))
        message.ack()

    stream = cloud.subscriber.subscribe(subscription, take)
    seen: dict[str, list[bytes]] = {"a": [], "b": []}
    for _ in range(40):
        key, body = received.get(timeout=PATIENCE_SECONDS)
        seen[key].append(body)
    stream.cancel()
    stream.result(PATIENCE_SECONDS)
    assert seen == expected


def test_nack_replays_later_messages_of_the_key(cloud: Cloud) -> None:
    """A nack of one message of a key also brings back, behind it, the later ones that were out."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic, enable_message_ordering=True)
    for body in (b"1", b"2", b"3"):
        cloud.publisher.publish(topic, body, ordering_key="k").result(PATIENCE_SECONDS)
    first, second, _ = cloud.pull(subscription, 3)
    cloud.acknowledge(subscription, first)
    cloud.set_deadline(subscription, 0, second)
    assert [received.message.data for received in cloud.pull_now(subscription)] == [b"2", b"3"]


def test_streaming_pull_keeps_to_the_flow_control(cloud: Cloud) -> None:
    """No more than max_messages are out to one stream; an acknowledgement lets the next one come."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publish(topic, *(str(number).encode() for number in range(6)))
    held: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stream = cloud.subscriber.subscribe(
        subscription, held.put, flow_control=pubsub_v1.types.FlowControl(max_messages=2)
    )
    out = [held.get(timeout=PATIENCE_SECONDS), held.get(timeout=PATIENCE_SECONDS)]
    with pytest.raises(queue.Empty):
        held.get(timeout=0.2)
    for message in out:
        message.ack()
    rest = [held.get(timeout=PATIENCE_SECONDS), held.get(timeout=PATIENCE_SECONDS)]
    assert len({message.data for message in out + rest}) == 4
    stream.cancel()
    stream.result(PATIENCE_SECONDS)


def test_deleting_a_subscription_ends_its_stream(cloud: Cloud) -> None:
    """A subscriber learns by NOT_FOUND that its subscription is gone."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    came = threading.Event()

    def take(message: Any) -> None:
        message.ack()
        came.set()

    stream = cloud.subscriber.subscribe(subscription, take)
    cloud.publish(topic, b"open")
    assert came.wait(PATIENCE_SECONDS)
    cloud.subscriber.delete_subscription(subscription=subscription)
    try:
        with pytest.raises(exceptions.NotFound):
            stream.result(PATIENCE_SECONDS)
    except FutureTimeout:
        stream.cancel()
        raise


def test_push_posts_the_message_and_retries(cloud: Cloud) -> None:
    """An endpoint gets the wrapped message; an answer of 500 brings it again, 204 ends it."""
    posts: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    answers = iter([500, 204])

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(next(answers, 204))
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        topic = cloud.topic()
        endpoint = f"http://127.0.0.1:{server.server_port}/projects/contract/topics/x"
        subscription = cloud.subscription(topic, push_config={"push_endpoint": endpoint})
        (message_id,) = cloud.publish(topic, b"pushed", color="red")
        first, second = posts.get(timeout=PATIENCE_SECONDS), posts.get(timeout=PATIENCE_SECONDS)
        cloud.subscriber.delete_subscription(subscription=subscription)
        server.shutdown()
    assert first["subscription"] == subscription
    assert first["message"]["data"] == "cHVzaGVk"
    assert first["message"]["attributes"] == {"color": "red"}
    assert first["message"]["messageId"] == first["message"]["message_id"] == message_id
    assert first["message"]["publishTime"] == first["message"]["publish_time"]
    assert second["message"]["messageId"] == message_id


def test_filter_selects_messages(cloud: Cloud) -> None:
    """Only messages whose attributes match the filter reach the subscription."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic, filter='attributes.color = "red" AND NOT attributes:old')
    cloud.publish(topic, b"blue", color="blue")
    cloud.publish(topic, b"old red", color="red", old="1")
    cloud.publish(topic, b"red", color="red")
    (received,) = cloud.pull(subscription)
    assert received.message.data == b"red"
    assert cloud.pull_now(subscription) == []


def test_wrong_filter_is_refused(cloud: Cloud) -> None:
    """A filter outside the language is INVALID_ARGUMENT."""
    topic = cloud.topic()
    with pytest.raises(exceptions.InvalidArgument):
        cloud.subscription(topic, filter="attributes.color == red")


def test_retry_policy_delays_redelivery(cloud: Cloud) -> None:
    """With a minimum backoff a nacked message is not there at once."""
    topic = cloud.topic()
    minute = duration_pb2.Duration(seconds=60)
    subscription = cloud.subscription(topic, retry_policy={"minimum_backoff": minute, "maximum_backoff": minute})
    cloud.publish(topic, b"rests")
    (received,) = cloud.pull(subscription)
    cloud.set_deadline(subscription, 0, received)
    assert cloud.pull_now(subscription) == []


def test_topic_labels_can_change(cloud: Cloud) -> None:
    """UpdateTopic changes the fields of its mask."""
    topic = cloud.topic()
    update = {"topic": {"name": topic, "labels": {"team": "a"}}, "update_mask": {"paths": ["labels"]}}
    cloud.publisher.update_topic(request=update)
    assert dict(cloud.publisher.get_topic(topic=topic).labels) == {"team": "a"}


def test_a_short_ack_deadline_is_refused(cloud: Cloud) -> None:
    """A subscription's ack deadline is 10 seconds at least."""
    topic = cloud.topic()
    with pytest.raises(exceptions.InvalidArgument):
        cloud.subscription(topic, ack_deadline_seconds=5)


def test_lists_name_what_was_created(cloud: Cloud) -> None:
    """Topics, subscriptions and a topic's subscriptions can be listed."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    assert topic in [one.name for one in cloud.publisher.list_topics(project=PROJECT)]
    assert subscription in [one.name for one in cloud.subscriber.list_subscriptions(project=PROJECT)]
    assert list(cloud.publisher.list_topic_subscriptions(topic=topic)) == [subscription]


def test_a_deleted_topic_leaves_its_subscription(cloud: Cloud) -> None:
    """The subscription of a deleted topic stays and names ``_deleted-topic_``."""
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    cloud.publisher.delete_topic(topic=topic)
    assert cloud.subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    with pytest.raises(exceptions.NotFound):
        cloud.publisher.get_topic(topic=topic)


REFUSALS: dict[str, tuple[type[Exception], Callable[[Cloud], object]]] = {
    "unknown topic": (exceptions.NotFound, lambda c: c.publish(f"{PROJECT}/topics/missing", b"x")),
    "unknown subscription": (exceptions.NotFound, lambda c: c.pull_now(f"{PROJECT}/subscriptions/missing")),
    "subscription of no topic": (exceptions.NotFound, lambda c: c.subscription(f"{PROJECT}/topics/missing")),
    "topic twice": (exceptions.AlreadyExists, lambda c: (c.topic(), c.topic())),
    "subscription twice": (
        exceptions.AlreadyExists,
        lambda c: (topic := c.topic(), c.subscription(topic), c.subscription(topic)),
    ),
    "short name": (exceptions.InvalidArgument, lambda c: c.publisher.create_topic(name=f"{PROJECT}/topics/t1")),
    "name with a digit first": (
        exceptions.InvalidArgument,
        lambda c: c.publisher.create_topic(name=f"{PROJECT}/topics/1abc"),
    ),
    "4 delivery attempts": (
        exceptions.OutOfRange,
        lambda c: (
            topic := c.topic(),
            c.subscription(topic, dead_letter_policy={"dead_letter_topic": topic, "max_delivery_attempts": 4}),
        ),
    ),
    "empty message": (exceptions.InvalidArgument, lambda c: c.publish(c.topic(), b"")),
    "garbage as ack id": (
        exceptions.InvalidArgument,
        lambda c: c.subscriber.acknowledge(subscription=c.subscription(c.topic()), ack_ids=["garbage"]),
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_wrong_requests_are_refused(cloud: Cloud, case: str) -> None:
    """Each wrong request gets the status that clients of the service see."""
    expected, request = REFUSALS[case]
    with pytest.raises(expected):
        request(cloud)
