"""The broker: topics, their subscriptions, and what a publish request does to both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from localcloud.clock import Clock
from localcloud.http import GoogleError

from . import names, wire
from .backlog import Entry
from .resources import complete_subscription, complete_topic, settings_of, updated_subscription, updated_topic
from .store import Store, StoredMessage
from .subscription import Subscription

MAX_REQUEST_BYTES = 10_000_000
MAX_REQUEST_MESSAGES = 1_000
MAX_ATTRIBUTES = 100
MAX_ATTRIBUTE_KEY_BYTES = 256
MAX_ATTRIBUTE_VALUE_BYTES = 1_024
MAX_ORDERING_KEY_BYTES = 1_024


class Broker:
    """All state of the service. Lives in one event loop, so it needs no lock."""

    def __init__(self, store: Store, clock: Clock, subscriptions_changed: Callable[[Subscription], None]) -> None:
        """`subscriptions_changed` hears of each subscription that is new, was changed, or has just been deleted."""
        self._store = store
        self._clock = clock
        self._changed = subscriptions_changed
        self._topics: dict[str, wire.Proto] = {}
        self._resources: dict[str, wire.Proto] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._subscribers: dict[str, list[Subscription]] = {}

    def restore(self) -> None:
        """Bring back what an earlier process stored; every unacknowledged message is due for delivery."""
        for data in self._store.topics():
            topic = wire.Topic.FromString(data)
            self._topics[topic.name] = topic
        for number, data in self._store.subscriptions():
            self._add_subscription(number, wire.Subscription.FromString(data), empty=False)

    def close(self) -> None:
        """End every delivery: the service stops."""
        reason = GoogleError("UNAVAILABLE", "the local Pub/Sub is stopping; try again")
        for subscription in self._subscriptions.values():
            subscription.end(reason)

    # topics

    def create_topic(self, resource: wire.Proto) -> wire.Proto:
        topic = complete_topic(resource)
        if topic.name in self._topics:
            raise GoogleError("ALREADY_EXISTS", f"topic {topic.name} exists already")
        self._save_topic(topic)
        return topic

    def topic(self, name: str) -> wire.Proto:
        """The Topic resource; NOT_FOUND when there is none."""
        if (topic := self._topics.get(names.check_topic(name))) is None:
            raise GoogleError("NOT_FOUND", f"topic {name} does not exist; create it first")
        return topic

    def update_topic(self, update: wire.Proto, paths: Iterable[str]) -> wire.Proto:
        topic = updated_topic(self.topic(update.name), update, paths)
        self._save_topic(topic)
        return topic

    def delete_topic(self, name: str) -> None:
        """Forget the topic; its subscriptions stay, with their messages, attached to none."""
        self.topic(name)
        with self._store.transaction():
            self._store.delete_topic(name)
            for subscription in self._subscribers.get(name, ()):
                resource = self._resources[subscription.name]
                resource.topic = names.DELETED_TOPIC
                self._store.put_subscription(subscription.number, subscription.name, resource.SerializeToString())
        del self._topics[name]
        self._subscribers.pop(name, None)

    def topics(self, project: str) -> list[wire.Proto]:
        """The project's topics by name."""
        return _of_project(self._topics, project)

    def topic_subscriptions(self, name: str) -> list[str]:
        """Names of the topic's subscriptions."""
        self.topic(name)
        return sorted(subscription.name for subscription in self._subscribers.get(name, ()))

    # subscriptions

    def create_subscription(self, resource: wire.Proto) -> wire.Proto:
        complete = complete_subscription(resource)
        if complete.name in self._subscriptions:
            raise GoogleError("ALREADY_EXISTS", f"subscription {complete.name} exists already")
        self.topic(complete.topic)
        self._check_dead_letter_topic(complete)
        settings_of(complete)  # refuses before anything is stored
        number = self._store.new_id()
        self._store.put_subscription(number, complete.name, complete.SerializeToString())
        self._changed(self._add_subscription(number, complete, empty=True))
        return complete

    def subscription(self, name: str) -> Subscription:
        """The subscription at work; NOT_FOUND when there is none."""
        if (subscription := self._subscriptions.get(names.check_subscription(name))) is None:
            raise GoogleError("NOT_FOUND", f"subscription {name} does not exist; create it first")
        return subscription

    def subscription_resource(self, name: str) -> wire.Proto:
        """The Subscription resource; NOT_FOUND when there is none."""
        return self._resources[self.subscription(name).name]

    def update_subscription(self, update: wire.Proto, paths: Iterable[str]) -> wire.Proto:
        paths = list(paths)
        subscription = self.subscription(update.name)
        resource = updated_subscription(self._resources[update.name], update, paths)
        if any(path.startswith("dead_letter_policy") for path in paths):
            self._check_dead_letter_topic(resource)
        settings = settings_of(resource)
        self._store.put_subscription(subscription.number, resource.name, resource.SerializeToString())
        self._resources[resource.name] = resource
        subscription.settings = settings
        self._changed(subscription)
        return resource

    def delete_subscription(self, name: str) -> None:
        """Forget the subscription with its messages; whoever waits for them gets NOT_FOUND."""
        subscription = self.subscription(name)
        self._store.delete_subscription(subscription.number)
        resource = self._resources.pop(name)
        del self._subscriptions[name]
        if resource.topic in self._subscribers:
            self._subscribers[resource.topic].remove(subscription)
        subscription.end(GoogleError("NOT_FOUND", f"subscription {name} was deleted"))
        self._changed(subscription)

    def subscription_resources(self, project: str) -> list[wire.Proto]:
        """The project's subscriptions by name."""
        return _of_project(self._resources, project)

    def subscriptions(self) -> list[Subscription]:
        """All of them, of every project."""
        return list(self._subscriptions.values())

    # messages

    def publish(self, topic: str, messages: Sequence[wire.Proto]) -> list[str]:
        """Store the messages for every subscription of `topic`; returns their ids in order."""
        self.topic(topic)
        _check_messages(messages)
        return self._fan_out(topic, messages)

    def _fan_out(self, topic: str, messages: Sequence[wire.Proto]) -> list[str]:
        subscriptions = self._subscribers.get(topic, [])
        rows: dict[Subscription, list[StoredMessage]] = {subscription: [] for subscription in subscriptions}
        ids = []
        now = self._clock.now()
        nanoseconds = round(now * 1000) * 1_000_000
        with self._store.transaction():
            for message in messages:
                message.message_id = str(self._store.new_id())
                message.publish_time.FromNanoseconds(nanoseconds)
                ids.append(message.message_id)
                body = message.SerializeToString() if subscriptions else b""
                for subscription, mine in rows.items():
                    settings = subscription.settings
                    if settings.matches is None or settings.matches(message.attributes):
                        key = message.ordering_key if settings.ordered else ""
                        mine.append(StoredMessage(self._store.new_id(), subscription.number, now, 0, key, body))
            for mine in rows.values():
                self._store.add(mine)
        for subscription, mine in rows.items():
            if mine:
                subscription.arrive(mine)
        return ids

    def _give_up(self, subscription: Subscription, entry: Entry) -> bool:
        """Move a message to the dead-letter topic; False when that topic is gone, so that nothing is lost."""
        dead_letters = subscription.settings.dead_letters
        if dead_letters is None or dead_letters.topic not in self._topics:
            return False
        message = wire.PubsubMessage.FromString(self._store.body(entry.id))
        published = datetime.fromtimestamp(entry.published, UTC).isoformat(timespec="milliseconds")
        message.attributes.update(
            {
                "CloudPubSubDeadLetterSourceDeliveryCount": str(entry.failures),
                "CloudPubSubDeadLetterSourceSubscription": names.short(subscription.name),
                "CloudPubSubDeadLetterSourceSubscriptionProject": names.project_of(subscription.name),
                "CloudPubSubDeadLetterSourceTopicPublishTime": published,
            }
        )
        with self._store.transaction():
            self._fan_out(dead_letters.topic, [message])
            self._store.remove(subscription.number, [entry.id])
        return True

    def _save_topic(self, topic: wire.Proto) -> None:
        self._store.put_topic(topic.name, topic.SerializeToString())
        self._topics[topic.name] = topic

    def _add_subscription(self, number: int, resource: wire.Proto, *, empty: bool) -> Subscription:
        subscription = Subscription(
            number, resource.name, settings_of(resource), self._store, self._clock, self._give_up, empty=empty
        )
        self._resources[resource.name] = resource
        self._subscriptions[resource.name] = subscription
        if resource.topic in self._topics:
            self._subscribers.setdefault(resource.topic, []).append(subscription)
        return subscription

    def _check_dead_letter_topic(self, resource: wire.Proto) -> None:
        if resource.HasField("dead_letter_policy"):
            self.topic(resource.dead_letter_policy.dead_letter_topic)


def _of_project(resources: dict[str, wire.Proto], project: str) -> list[wire.Proto]:
    prefix = names.check_project(project) + "/"
    return [resources[name] for name in sorted(resources) if name.startswith(prefix)]


def _check_messages(messages: Sequence[wire.Proto]) -> None:
    if not 0 < len(messages) <= MAX_REQUEST_MESSAGES:
        raise GoogleError(
            "INVALID_ARGUMENT", f"a request with {len(messages)} messages; allowed is 1 to {MAX_REQUEST_MESSAGES}"
        )
    for index, message in enumerate(messages):
        if not message.data and not message.attributes:
            raise GoogleError("INVALID_ARGUMENT", f"messages[{index}] is empty; give it data or an attribute")
        if len(message.ordering_key.encode()) > MAX_ORDERING_KEY_BYTES:
            raise _too_long(index, "the ordering key", MAX_ORDERING_KEY_BYTES)
        if message.attributes:
            _check_attributes(index, message.attributes)


def _check_attributes(index: int, attributes: wire.Proto) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise GoogleError(
            "INVALID_ARGUMENT", f"messages[{index}] has {len(attributes)} attributes; allowed are {MAX_ATTRIBUTES}"
        )
    for key, value in attributes.items():
        if not key or key.lower().startswith("goog"):
            raise GoogleError(
                "INVALID_ARGUMENT", f"messages[{index}]: attribute key {key!r}; allowed is one not empty or 'goog...'"
            )
        if len(key.encode()) > MAX_ATTRIBUTE_KEY_BYTES:
            raise _too_long(index, "an attribute key", MAX_ATTRIBUTE_KEY_BYTES)
        if len(value.encode()) > MAX_ATTRIBUTE_VALUE_BYTES:
            raise _too_long(index, f"the value of attribute {key!r}", MAX_ATTRIBUTE_VALUE_BYTES)


def _too_long(index: int, what: str, limit: int) -> GoogleError:
    return GoogleError("INVALID_ARGUMENT", f"messages[{index}]: {what} has more than {limit} bytes")
