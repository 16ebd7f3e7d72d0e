"""Turns Topic and Subscription resources of a request into complete ones, and into the settings that drive delivery.

What the local service cannot honour is refused by name rather than kept and ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from google.protobuf.field_mask_pb2 import FieldMask

from localcloud.http import GoogleError

from . import names, wire
from .filters import Matches, compile_filter

DAY = 86_400
DEFAULT_ACK_DEADLINE_SECONDS = 10
ACK_DEADLINE_SECONDS = range(10, 601)
RETENTION_SECONDS = (600, 31 * DAY)
DEFAULT_RETENTION_SECONDS = 7 * DAY
DELIVERY_ATTEMPTS = range(5, 101)
DEFAULT_DELIVERY_ATTEMPTS = 5
MAX_BACKOFF_SECONDS = 600
DEFAULT_MINIMUM_BACKOFF_SECONDS = 10

_TOPIC_FIELDS_REFUSED = (
    "schema_settings",
    "kms_key_name",
    "ingestion_data_source_settings",
    "message_transforms",
    "message_retention_duration",
)
_SUBSCRIPTION_FIELDS_REFUSED = (
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "message_transforms",
    "retain_acked_messages",
)
_TOPIC_FIELDS_MUTABLE = frozenset({"labels", "message_storage_policy", *_TOPIC_FIELDS_REFUSED})
_SUBSCRIPTION_FIELDS_MUTABLE = frozenset(
    {
        "ack_deadline_seconds",
        "dead_letter_policy",
        "enable_exactly_once_delivery",
        "expiration_policy",
        "labels",
        "message_retention_duration",
        "push_config",
        "retry_policy",
        *_SUBSCRIPTION_FIELDS_REFUSED,
    }
)
_STATE_ACTIVE = 1


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Where a message goes once it was delivered `max_attempts` times in vain."""

    topic: str
    max_attempts: int


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a message rests before it is delivered again."""

    minimum_seconds: float
    maximum_seconds: float

    def seconds(self, failures: int) -> float:
        """Doubles with each failure, from the minimum to the maximum. Differs: no jitter, so that runs repeat."""
        return min(self.maximum_seconds, self.minimum_seconds * 2.0 ** min(failures - 1, 60))


@dataclass(frozen=True, slots=True)
class Push:
    """Where and how messages are posted."""

    endpoint: str
    wrapped: bool
    write_metadata: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides how a subscription delivers."""

    ack_deadline_seconds: int
    retention_seconds: float
    ordered: bool
    exactly_once: bool
    matches: Matches | None
    dead_letters: DeadLetters | None
    backoff: Backoff | None
    push: Push | None


def complete_topic(resource: wire.Proto) -> wire.Proto:
    """A checked copy of the Topic, as the service would show it."""
    names.check_topic(resource.name)
    _refuse_fields(resource, _TOPIC_FIELDS_REFUSED)
    topic = wire.Topic()
    topic.CopyFrom(resource)
    topic.state = _STATE_ACTIVE
    return topic


def complete_subscription(resource: wire.Proto) -> wire.Proto:
    """A checked copy of the Subscription with every default filled in, as the service would show it."""
    names.check_subscription(resource.name)
    if resource.topic != names.DELETED_TOPIC:
        names.check_topic(resource.topic)
    _refuse_fields(resource, _SUBSCRIPTION_FIELDS_REFUSED)
    subscription = wire.Subscription()
    subscription.CopyFrom(resource)
    subscription.state = _STATE_ACTIVE
    subscription.ack_deadline_seconds = subscription.ack_deadline_seconds or DEFAULT_ACK_DEADLINE_SECONDS
    if not subscription.HasField("message_retention_duration"):
        subscription.message_retention_duration.FromSeconds(DEFAULT_RETENTION_SECONDS)
    if not subscription.HasField("expiration_policy"):
        subscription.expiration_policy.ttl.FromSeconds(31 * DAY)
    if subscription.HasField("dead_letter_policy"):
        policy = subscription.dead_letter_policy
        policy.max_delivery_attempts = policy.max_delivery_attempts or DEFAULT_DELIVERY_ATTEMPTS
    if subscription.HasField("retry_policy"):
        retry = subscription.retry_policy
        if not retry.HasField("minimum_backoff"):
            retry.minimum_backoff.FromSeconds(DEFAULT_MINIMUM_BACKOFF_SECONDS)
        if not retry.HasField("maximum_backoff"):
            retry.maximum_backoff.FromSeconds(MAX_BACKOFF_SECONDS)
    return subscription


def settings_of(subscription: wire.Proto) -> Settings:
    """The settings that a complete Subscription asks for; INVALID_ARGUMENT or OUT_OF_RANGE naming what is wrong."""
    if subscription.ack_deadline_seconds not in ACK_DEADLINE_SECONDS:
        raise _out_of("ack_deadline_seconds", subscription.ack_deadline_seconds, "10 to 600")
    retention = _seconds(subscription.message_retention_duration)
    if not RETENTION_SECONDS[0] <= retention <= RETENTION_SECONDS[1]:
        raise _out_of("message_retention_duration", f"{retention:g}s", "10 minutes to 31 days")
    return Settings(
        ack_deadline_seconds=subscription.ack_deadline_seconds,
        retention_seconds=retention,
        ordered=subscription.enable_message_ordering,
        exactly_once=subscription.enable_exactly_once_delivery,
        matches=compile_filter(subscription.filter) if subscription.filter.strip() else None,
        dead_letters=_dead_letters(subscription),
        backoff=_backoff(subscription),
        push=_push(subscription),
    )


def updated_topic(current: wire.Proto, update: wire.Proto, paths: Iterable[str]) -> wire.Proto:
    """`current` with the named fields of `update`; INVALID_ARGUMENT for a field that cannot change."""
    return complete_topic(_merged(current, update, paths, _TOPIC_FIELDS_MUTABLE))


def updated_subscription(current: wire.Proto, update: wire.Proto, paths: Iterable[str]) -> wire.Proto:
    """`current` with the named fields of `update`; INVALID_ARGUMENT for a field that cannot change."""
    return complete_subscription(_merged(current, update, paths, _SUBSCRIPTION_FIELDS_MUTABLE))


def _merged(current: wire.Proto, update: wire.Proto, paths: Iterable[str], mutable: frozenset[str]) -> wire.Proto:
    mask = FieldMask(paths=list(paths))
    if not mask.paths:
        raise GoogleError("INVALID_ARGUMENT", f"update_mask is empty; name one of {', '.join(sorted(mutable))}")
    for path in mask.paths:
        if path.split(".")[0] not in mutable or not FieldMask(paths=[path]).IsValidForDescriptor(current.DESCRIPTOR):
            raise GoogleError(
                "INVALID_ARGUMENT", f"update_mask: {path!r} cannot change; these can: {', '.join(sorted(mutable))}"
            )
    merged = type(current)()
    merged.CopyFrom(current)
    mask.MergeMessage(update, merged, replace_message_field=True, replace_repeated_field=True)
    return merged


def _refuse_fields(resource: wire.Proto, refused: Iterable[str]) -> None:
    present = {field.name for field, _ in resource.ListFields()}
    for name in refused:
        if name in present:
            raise GoogleError(
                "UNIMPLEMENTED",
                f"{resource.DESCRIPTOR.name}.{name} is not available in the local Pub/Sub; leave it out",
            )


def _dead_letters(subscription: wire.Proto) -> DeadLetters | None:
    if not subscription.HasField("dead_letter_policy"):
        return None
    policy = subscription.dead_letter_policy
    names.check_topic(policy.dead_letter_topic)
    if policy.max_delivery_attempts not in DELIVERY_ATTEMPTS:
        raise GoogleError(
            "OUT_OF_RANGE",
            f"dead_letter_policy.max_delivery_attempts is {policy.max_delivery_attempts}; allowed is 5 to 100",
        )
    return DeadLetters(policy.dead_letter_topic, policy.max_delivery_attempts)


def _backoff(subscription: wire.Proto) -> Backoff | None:
    if not subscription.HasField("retry_policy"):
        return None
    minimum = _seconds(subscription.retry_policy.minimum_backoff)
    maximum = _seconds(subscription.retry_policy.maximum_backoff)
    if not 0 <= minimum <= maximum <= MAX_BACKOFF_SECONDS:
        raise _out_of(
            "retry_policy", f"{minimum:g}s to {maximum:g}s", "0s to 600s, minimum_backoff not above maximum_backoff"
        )
    return Backoff(minimum, maximum)


def _push(subscription: wire.Proto) -> Push | None:
    config = subscription.push_config
    if not config.push_endpoint:
        return None
    address = urlsplit(config.push_endpoint)
    if address.scheme not in ("http", "https") or not address.netloc:
        raise _out_of("push_config.push_endpoint", config.push_endpoint, "an http or https address")
    wrapped = config.WhichOneof("wrapper") != "no_wrapper"
    return Push(config.push_endpoint, wrapped, not wrapped and config.no_wrapper.write_metadata)


def _seconds(duration: wire.Proto) -> float:
    return float(duration.seconds + duration.nanos / 1e9)


def _out_of(field: str, found: object, allowed: str) -> GoogleError:
    return GoogleError("INVALID_ARGUMENT", f"{field} is {found}; allowed is {allowed}")
