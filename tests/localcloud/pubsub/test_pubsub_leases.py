"""Leases, retries, retention and exactly-once, driven by hand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from localcloud.http import GoogleError
from localcloud.pubsub import wire
from localcloud.pubsub.backlog import Consumer
from localcloud.pubsub.service import PULL_WAIT_SECONDS

pytestmark = pytest.mark.anyio

NAME = "projects/p/subscriptions/subscription"
RETRY = {"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 60}}


async def test_a_lease_holds_until_its_deadline(local: Any) -> None:
    """Nobody else gets the message before the ack deadline, and it is there right after it."""
    local.subscription(ack_deadline_seconds=30)
    local.publish("m")
    assert local.bodies() == ["m"]
    await local.clock.advance(29.9)
    assert local.bodies() == []
    await local.clock.advance(0.1)
    assert local.bodies() == ["m"]


async def test_a_deadline_can_be_moved_both_ways(local: Any) -> None:
    """ModifyAckDeadline counts from now, longer or shorter than what was left."""
    subscription = local.subscription()
    local.publish("long", "short")
    (long, _), (short, _) = local.take()
    subscription.modify_deadlines([(long, 600), (short, 1)])
    await local.clock.advance(1)
    assert local.bodies() == ["short"]
    await local.clock.advance(598)
    assert local.bodies() == ["short"]
    await local.clock.advance(1)
    assert local.bodies() == ["long"]


async def test_a_pull_that_waits_gets_the_message_when_its_lease_ends(local: Any) -> None:
    """Expiry wakes those who wait, without anybody asking."""
    local.subscription()
    local.publish("m")
    local.take()
    await local.clock.advance(10 - PULL_WAIT_SECONDS + 0.5)
    pull = asyncio.create_task(local.api.pull(wire.PullRequest(subscription=NAME, max_messages=1)))
    await local.clock.advance(PULL_WAIT_SECONDS - 1)
    assert not pull.done()
    await local.clock.advance(0.5)
    assert (await pull).received_messages[0].message.data == b"m"


async def test_a_pull_waits_no_longer_than_its_limit(local: Any) -> None:
    """A pull with nothing to give answers empty after its limit."""
    local.subscription()
    pull = asyncio.create_task(local.api.pull(wire.PullRequest(subscription=NAME, max_messages=1)))
    await local.clock.advance(PULL_WAIT_SECONDS)
    assert len((await pull).received_messages) == 0


async def test_a_late_acknowledgement_counts(local: Any) -> None:
    """An ack id of an ended lease still removes the message, even when somebody else holds it now."""
    subscription = local.subscription()
    local.publish("m")
    ((late, _),) = local.take()
    await local.clock.advance(10)
    assert local.bodies() == ["m"]
    assert subscription.acknowledge([late]) == []
    await local.clock.advance(60)
    assert local.bodies() == []


async def test_an_outdated_ack_id_changes_no_deadline(local: Any) -> None:
    """A nack with the ack id of an earlier delivery does not touch the present one."""
    subscription = local.subscription()
    local.publish("m")
    ((outdated, _),) = local.take()
    await local.clock.advance(10)
    local.take()
    subscription.modify_deadlines([(outdated, 0)])
    assert local.bodies() == []


async def test_exactly_once_refuses_outdated_ack_ids(local: Any) -> None:
    """With exactly-once delivery an ack id ends with its lease, for acks and for deadlines."""
    subscription = local.subscription(enable_exactly_once_delivery=True)
    local.publish("m", "n")
    (kept, _), (lost, _) = local.take()
    subscription.modify_deadlines([(kept, 60)])
    await local.clock.advance(10)
    assert subscription.modify_deadlines([(kept, 60), (lost, 60)]) == [lost]
    assert subscription.acknowledge([kept, lost]) == [lost]
    assert subscription.acknowledge([kept]) == [kept]
    assert local.bodies() == ["n"]


@pytest.mark.parametrize("failure", ["nack", "expiry"])
async def test_retry_backoff_doubles_up_to_its_maximum(local: Any, failure: str) -> None:
    """After the n-th failure a message rests minimum * 2^(n-1) seconds, at most the maximum."""
    subscription = local.subscription(retry_policy=RETRY)
    local.publish("m")
    for rest_seconds in (10, 20, 40, 60, 60):
        ((ack_id, _),) = local.take()
        if failure == "nack":
            subscription.modify_deadlines([(ack_id, 0)])
        else:
            await local.clock.advance(10)
        await local.clock.advance(rest_seconds - 0.1)
        assert local.bodies() == []
        await local.clock.advance(0.1)


async def test_a_resting_message_does_not_hold_others(local: Any) -> None:
    """Backoff is a message's own."""
    subscription = local.subscription(retry_policy=RETRY)
    local.publish("bad", "good")
    ((bad, _),) = local.take(1)
    subscription.modify_deadlines([(bad, 0)])
    assert local.bodies() == ["good"]


async def test_flow_control_of_a_consumer(local: Any) -> None:
    """A consumer gets no more messages than it allows, and bytes only until it holds its limit."""
    subscription = local.subscription()
    local.publish(*"abcdef")
    few = Consumer(max_messages=2)
    (first, _), _ = local.take(consumer=few)
    assert local.bodies(consumer=few) == []
    subscription.acknowledge([first])
    assert local.bodies(consumer=few) == ["c"]
    assert local.bodies(consumer=Consumer(max_bytes=1)) == ["d"]
    await local.clock.advance(10)
    assert few.outstanding_messages == 0 == few.outstanding_bytes


async def test_retention_forgets_old_messages(local: Any) -> None:
    """A message older than the retention is not delivered, and frees its space without being pulled."""
    subscription = local.subscription(message_retention_duration={"seconds": 600})
    local.publish("old")
    await local.clock.advance(300)
    local.publish("young")
    await local.clock.advance(301)
    assert local.bodies() == ["young"]
    await local.clock.advance(600)
    subscription.forget_expired()
    assert list(local.store.after(subscription.number, 0)) == []


async def test_seek_to_a_time_forgets_what_is_older(local: Any) -> None:
    """Everything published before the time counts as acknowledged, leased or not."""
    local.subscription()
    local.publish("leased", "waiting")
    local.take(1)
    await local.clock.advance(5)
    time = local.clock.now()
    local.publish("after")
    request = wire.SeekRequest(subscription=NAME)
    request.time.FromSeconds(int(time))
    await local.api.seek(request)
    await local.clock.advance(60)
    assert local.bodies() == ["after"]


async def test_two_waiting_consumers_share(local: Any) -> None:
    """One message after the other goes to one waiting consumer after the other."""
    subscription = local.subscription()
    consumers = [Consumer(), Consumer()]
    got: list[int] = []

    async def work(index: int) -> None:
        subscription.attach(consumers[index])
        for _ in range(2):
            await subscription.deliveries(consumers[index], 100)
            got.append(index)

    tasks = [asyncio.create_task(work(index)) for index in range(2)]
    for body in "abcd":
        await asyncio.sleep(0)
        local.publish(body)
        for _ in range(5):
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert sorted(got) == [0, 0, 1, 1]


async def test_deleting_a_subscription_frees_its_messages(local: Any) -> None:
    """Deletion ends waiting pulls with NOT_FOUND and leaves no row behind."""
    subscription = local.subscription()
    pull = asyncio.create_task(local.api.pull(wire.PullRequest(subscription=NAME, max_messages=1)))
    await asyncio.sleep(0)
    local.broker.delete_subscription(NAME)
    with pytest.raises(GoogleError) as caught:
        await pull
    assert caught.value.status == "NOT_FOUND"
    assert list(local.store.after(subscription.number, 0)) == []
