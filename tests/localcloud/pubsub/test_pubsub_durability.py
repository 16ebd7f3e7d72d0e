"""What survives a crash, and how much memory a backlog takes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.cloud import pubsub_v1

from localcloud.pubsub.backlog import WINDOW_MESSAGES
from localcloud.pubsub.store import Store

pytestmark = pytest.mark.anyio

TOPIC = "projects/p/topics/topic"
SUBSCRIPTION = "projects/p/subscriptions/subscription"


def test_unacknowledged_messages_survive_sigkill(
    start_service: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Topics, subscriptions and what was not acknowledged are there after a kill; what was acknowledged is not."""
    service = start_service("pubsub")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", service.addresses["grpc"])
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    publisher.create_topic(name=TOPIC)
    retry = {"minimum_backoff": {"seconds": 20}}
    subscriber.create_subscription(request={"name": SUBSCRIPTION, "topic": TOPIC, "retry_policy": retry})
    ids = [publisher.publish(TOPIC, str(number).encode()).result(10) for number in range(3)]
    first, *_ = subscriber.pull(subscription=SUBSCRIPTION, max_messages=3).received_messages
    subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=[first.ack_id])
    service.kill()

    service = start_service("pubsub")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", service.addresses["grpc"])
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    received = subscriber.pull(subscription=SUBSCRIPTION, max_messages=10).received_messages
    assert [one.message.message_id for one in received] == ids[1:]
    assert subscriber.get_subscription(subscription=SUBSCRIPTION).retry_policy.minimum_backoff.seconds == 20
    assert publisher.publish(TOPIC, b"new").result(10) not in ids
    service.process.terminate()
    assert service.process.wait(20) == 0


async def test_an_ack_id_from_before_a_restart_still_counts(local: Any) -> None:
    """A consumer that finished its work while the service was away is not given it again."""
    local.subscription()
    local.publish("done", "open")
    (done, _), _ = local.take()
    local.restart()
    local.broker.subscription(SUBSCRIPTION).acknowledge([done])
    assert local.bodies() == ["open"]


async def test_a_backlog_beyond_the_window_is_delivered_in_order(local: Any) -> None:
    """What memory does not hold is read from the file when its turn comes."""
    subscription = local.subscription()
    count = WINDOW_MESSAGES + 3000
    for start in range(0, count, 1000):
        local.publish(*(str(number) for number in range(start, start + 1000)))
    received: list[str] = []
    while batch := local.take(500):
        subscription.acknowledge([ack_id for ack_id, _ in batch])
        received += [body for _, body in batch]
    assert received == [str(number) for number in range(count)]


async def test_memory_stays_flat(local: Any) -> None:
    """Neither an unread backlog of large messages nor a long history leaves memory behind."""
    subscription = local.subscription(enable_message_ordering=True)
    local.subscription("projects/p/subscriptions/unread")
    body = "x" * 100_000
    tracemalloc.start()
    try:
        for number in range(400):
            local.publish(body, key=f"key{number}")
            subscription.acknowledge([ack_id for ack_id, _ in local.take()])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 20_000_000


async def test_acknowledged_messages_leave_the_file(local: Any) -> None:
    """A message is stored while some subscription has not acknowledged it, and no longer."""
    local.topic()
    local.publish("nobody listens")
    subscription = local.subscription()
    assert list(local.store.after(subscription.number, 0)) == []
    local.publish("somebody listens")
    ((ack_id, _),) = local.take()
    assert len(list(local.store.after(subscription.number, 0))) == 1
    subscription.acknowledge([ack_id])
    assert list(local.store.after(subscription.number, 0)) == []


def test_a_folder_has_one_user(tmp_path: Path) -> None:
    """A second process on the same state is refused and told why."""
    store = Store(tmp_path / "pubsub.sqlite3")
    with pytest.raises(OSError, match="is another Pub/Sub running on this folder"):
        Store(tmp_path / "pubsub.sqlite3")
    store.close()
    Store(tmp_path / "pubsub.sqlite3").close()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    """An exception drops everything written in the transaction, nested ones included."""
    store = Store(tmp_path / "pubsub.sqlite3")
    with pytest.raises(ZeroDivisionError), store.transaction():
        with store.transaction():
            store.put_topic(TOPIC, b"")
        raise ZeroDivisionError
    assert store.topics() == []
    store.close()


def test_a_taken_port_is_an_error(start_service: Callable[..., Any], tmp_path: Path) -> None:
    """A second service on the port of the first one does not start, rather than sharing it."""
    service = start_service("pubsub", data=tmp_path)
    port = service.addresses["grpc"].rsplit(":", 1)[1]
    (tmp_path / "other").mkdir()
    with pytest.raises(AssertionError, match=f"port {port} of 127.0.0.1 cannot be used"):
        start_service("pubsub", "--port", port, data=tmp_path / "other")
