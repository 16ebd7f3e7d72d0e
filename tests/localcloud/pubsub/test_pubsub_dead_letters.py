"""Dead letters: counted attempts, the move, and what the moved message tells."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.http import GoogleError
from localcloud.pubsub import wire
from localcloud.pubsub.backlog import Consumer

pytestmark = pytest.mark.anyio

DEAD = "projects/p/topics/dead"
DEAD_SUBSCRIPTION = "projects/p/subscriptions/dead"


def with_dead_letters(local: Any, attempts: int = 5, **fields: Any) -> Any:
    local.subscription(DEAD_SUBSCRIPTION, DEAD)
    policy = {"dead_letter_topic": DEAD, "max_delivery_attempts": attempts}
    return local.subscription(dead_letter_policy=policy, **fields)


async def test_nacks_and_expiries_count_alike(local: Any) -> None:
    """The fifth failure of either kind moves the message; attempts are told from 1 on."""
    subscription = with_dead_letters(local)
    (message_id,) = local.publish("poison", color="red")
    published = local.clock.now()
    for attempt in range(1, 6):
        (delivery,) = subscription.take(Consumer(), 1)
        assert delivery.attempt == attempt
        if attempt % 2:
            subscription.modify_deadlines([(delivery.ack_id, 0)])
        else:
            await local.clock.advance(10)
    assert local.bodies() == []
    (moved,) = local.broker.subscription(DEAD_SUBSCRIPTION).take(Consumer(), 1)
    message = wire.PubsubMessage.FromString(moved.body)
    assert (message.data, message.attributes["color"]) == (b"poison", "red")
    assert message.message_id != message_id
    assert message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert message.attributes["CloudPubSubDeadLetterSourceSubscription"] == "subscription"
    assert message.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] == "p"
    assert message.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"].startswith("2025-06-15T15:06:40")
    assert published == 1_750_000_000


async def test_the_count_survives_a_restart(local: Any) -> None:
    """Failures before a crash count after it."""
    subscription = with_dead_letters(local)
    local.publish("poison")
    for _ in range(4):
        ((ack_id, _),) = local.take()
        subscription.modify_deadlines([(ack_id, 0)])
    local.restart()
    subscription = local.broker.subscription(subscription.name)
    (delivery,) = subscription.take(Consumer(), 1)
    assert delivery.attempt == 5
    subscription.modify_deadlines([(delivery.ack_id, 0)])
    assert local.bodies(name=DEAD_SUBSCRIPTION) == ["poison"]


async def test_a_missing_dead_letter_topic_loses_nothing(local: Any) -> None:
    """When the dead-letter topic was deleted, delivery simply goes on."""
    subscription = with_dead_letters(local)
    local.publish("poison")
    local.broker.delete_topic(DEAD)
    for _ in range(7):
        ((ack_id, _),) = local.take()
        subscription.modify_deadlines([(ack_id, 0)])
    assert local.bodies() == ["poison"]


async def test_a_dead_letter_lets_its_key_go_on(local: Any) -> None:
    """With ordering the next message of the key follows the one that was given up."""
    subscription = with_dead_letters(local, enable_message_ordering=True)
    local.publish("poison", "next", key="k")
    for _ in range(5):
        ((ack_id, body),) = local.take(1)
        assert body == "poison"
        subscription.modify_deadlines([(ack_id, 0)])
    assert local.bodies() == ["next"]


async def test_the_policy_is_checked(local: Any) -> None:
    """5 to 100 attempts, 5 when not given, and a topic that exists."""
    for attempts in (4, 101):
        with pytest.raises(GoogleError) as caught:
            with_dead_letters(local, attempts)
        assert caught.value.status == "OUT_OF_RANGE"
        local.broker.delete_subscription(DEAD_SUBSCRIPTION)
    subscription = with_dead_letters(local, 0)
    assert subscription.settings.dead_letters.max_attempts == 5
    missing = {"dead_letter_topic": "projects/p/topics/missing"}
    with pytest.raises(GoogleError) as caught:
        local.subscription("projects/p/subscriptions/other", dead_letter_policy=missing)
    assert caught.value.status == "NOT_FOUND"
