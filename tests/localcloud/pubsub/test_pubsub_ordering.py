"""Ordering keys: one key, one line, one consumer at a time."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_pubsub import Local

from localcloud.pubsub.backlog import Consumer

pytestmark = pytest.mark.anyio


async def test_a_key_stays_with_its_consumer(local: Any) -> None:
    """While messages of a key are out, later ones go to the same consumer only; other keys are free."""
    local.subscription(enable_message_ordering=True)
    one, other = Consumer(max_messages=1), Consumer()
    local.publish("a1", "a2", key="a")
    assert local.bodies(consumer=one) == ["a1"]
    local.publish("b1", key="b")
    assert local.bodies(consumer=other) == ["b1"]
    one.max_messages = 0
    assert local.bodies(consumer=other) == []
    assert local.bodies(consumer=one) == ["a2"]


async def test_a_key_is_free_once_everything_out_is_acknowledged(local: Any) -> None:
    """The next batch of a key may go to anybody."""
    subscription = local.subscription(enable_message_ordering=True)
    local.publish("1", "2", "3", key="k")
    first, second = local.take(2)
    assert local.bodies() == []
    subscription.acknowledge([first[0]])
    assert local.bodies() == []
    subscription.acknowledge([second[0]])
    assert local.bodies() == ["3"]


async def test_a_nack_replays_what_came_later(local: Any) -> None:
    """Whoever held later messages of the key has lost them; they follow the nacked one."""
    subscription = local.subscription(enable_message_ordering=True)
    local.publish("1", "2", "3", "4", key="k")
    _, (second, _), (third, _) = local.take(3, consumer=(consumer := Consumer()))
    subscription.modify_deadlines([(second, 0), (third, 600)])
    assert local.bodies(consumer=consumer) == ["2", "3", "4"]


async def test_an_expiry_replays_what_came_later(local: Any) -> None:
    """An expired message comes first again, then the later ones."""
    subscription = local.subscription(enable_message_ordering=True)
    local.publish("1", "2", key="k")
    _, (second, _) = local.take()
    subscription.modify_deadlines([(second, 60)])
    await local.clock.advance(10)
    assert local.bodies() == ["1", "2"]


async def test_backoff_holds_the_whole_key(local: Any) -> None:
    """While a message rests, later ones of its key wait and other keys go on."""
    subscription = local.subscription(
        enable_message_ordering=True,
        retry_policy={"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 10}},
    )
    local.publish("a1", "a2", key="a")
    local.publish("b1", key="b")
    ((first, _),) = local.take(1)
    subscription.modify_deadlines([(first, 0)])
    assert local.bodies() == ["b1"]
    local.publish("a3", key="a")
    await local.clock.advance(9.9)
    assert local.bodies() == []
    await local.clock.advance(0.1)
    assert local.bodies() == ["a1", "a2", "a3"]  # b1's lease ended too, and it rests in its turn


async def test_without_ordering_keys_mean_nothing(local: Any) -> None:
    """A subscription that does not order hands a key's messages to anybody."""
    local.subscription()
    local.publish("1", "2", key="k")
    assert local.bodies(1) == ["1"]
    assert local.bodies(1) == ["2"]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 32), keys=st.integers(1, 3), backoff=st.booleans(), restart=st.booleans())
def test_whatever_happens_each_key_is_finished_in_order(seed: int, keys: int, backoff: bool, restart: bool) -> None:
    """Under random acks, nacks, expiries and restarts no message overtakes an unfinished earlier one of its key.

    Overtaking would be a delivery while an earlier message of the key is neither acknowledged nor out to the same
    consumer. In the end everything is delivered and acknowledged.
    """
    anyio.run(_random_work, random.Random(seed), keys, backoff, restart)


async def _random_work(chance: random.Random, keys: int, backoff: bool, restart: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        local = Local(Path(folder))
        retry = {"retry_policy": {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 5}}}
        local.subscription(
            enable_message_ordering=True, enable_exactly_once_delivery=True, **(retry if backoff else {})
        )
        unfinished = {f"k{key}": [f"k{key}-{number}" for number in range(8)] for key in range(keys)}
        for number in range(8):
            for key, bodies in list(unfinished.items()):
                local.publish(bodies[number], key=key)
        consumers = [Consumer(), Consumer(max_messages=3)]
        held: dict[str, tuple[Consumer, str]] = {}  # body -> who was sent it last, under which ack id
        for step in range(600):
            if not any(unfinished.values()):
                break
            subscription = local.broker.subscription("projects/p/subscriptions/subscription")
            consumer = chance.choice(consumers)
            for ack_id, body in local.take(chance.randint(1, 4), consumer=consumer):
                earlier = unfinished[body.split("-")[0]]
                earlier = earlier[: earlier.index(body)]
                assert all(one in held and held[one][0] is consumer for one in earlier), (body, earlier)
                held[body] = (consumer, ack_id)
            action = chance.random()
            if held and action < 0.6:
                body = chance.choice(sorted(held))
                _, ack_id = held.pop(body)
                if action < 0.4:
                    subscription.acknowledge([ack_id])
                    unfinished[body.split("-")[0]].remove(body)
                else:
                    subscription.modify_deadlines([(ack_id, 0)])
            elif action < 0.7:
                await local.clock.advance(chance.choice([1, 5, 11]))
            elif restart and action < 0.72 and step < 300:
                local.restart()
                subscription = local.broker.subscription("projects/p/subscriptions/subscription")
                held.clear()
                consumers = [Consumer(), Consumer(max_messages=3)]
            for body in [one for one, (_, ack_id) in held.items() if subscription.modify_deadlines([(ack_id, 10)])]:
                del held[body]
        assert not any(unfinished.values())
        assert local.bodies() == []
        local.close()
