"""A broker that a test drives by hand: its own clock, and restarts on the same state file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.clock import ManualClock
from localcloud.pubsub import wire
from localcloud.pubsub.backlog import Consumer
from localcloud.pubsub.service import PubSub
from localcloud.pubsub.store import Store
from localcloud.pubsub.subscription import Subscription
from localcloud.pubsub.topics import Broker

TOPIC = "projects/p/topics/topic"
DEAD_TOPIC = "projects/p/topics/dead"
SUBSCRIPTION = "projects/p/subscriptions/subscription"


@dataclass
class Local:
    """A broker over one state file; `restart` is what a new process on the same folder sees."""

    data: Path
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self.store = Store(self.data / "pubsub.sqlite3")
        self.broker = Broker(self.store, self.clock, lambda subscription: None)
        self.broker.restore()
        self.api = PubSub(self.broker, self.clock)

    def close(self) -> None:
        self.broker.close()
        self.store.close()

    def restart(self) -> None:
        self.close()
        self._open()

    def topic(self, name: str = TOPIC) -> str:
        self.broker.create_topic(wire.Topic(name=name))
        return name

    def subscription(self, name: str = SUBSCRIPTION, topic: str = TOPIC, **fields: Any) -> Subscription:
        """A new subscription, and its topic when that is missing."""
        if topic not in {one.name for one in self.broker.topics("projects/p")}:
            self.topic(topic)
        self.broker.create_subscription(wire.Subscription(name=name, topic=topic, **fields))
        return self.broker.subscription(name)

    def publish(self, *bodies: str, topic: str = TOPIC, key: str = "", **attributes: str) -> list[str]:
        messages = [wire.PubsubMessage(data=body.encode(), ordering_key=key, attributes=attributes) for body in bodies]
        return self.broker.publish(topic, messages)

    def take(
        self, limit: int = 100, name: str = SUBSCRIPTION, consumer: Consumer | None = None
    ) -> list[tuple[str, str]]:
        """(ack id, body) of what can be delivered now."""
        deliveries = self.broker.subscription(name).take(consumer or Consumer(), limit)
        return [(one.ack_id, wire.PubsubMessage.FromString(one.body).data.decode()) for one in deliveries]

    def bodies(self, limit: int = 100, name: str = SUBSCRIPTION, consumer: Consumer | None = None) -> list[str]:
        """The bodies of what can be delivered now."""
        return [body for _, body in self.take(limit, name, consumer)]
