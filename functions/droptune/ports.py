"""What the use cases need of the world, as narrow as they use it. `clients` implements them; tests bring fakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from .events import Fact, Notification


@dataclass(frozen=True)
class StoredObject:
    """An object of a bucket at one generation."""

    bucket: str
    name: str
    generation: int
    size_bytes: int
    metadata: Mapping[str, str] = field(default_factory=dict)


class Objects(Protocol):
    """Cloud Storage."""

    def stat(self, bucket: str, name: str) -> StoredObject | None:
        """The object as it is now, or None."""
        ...

    def list(self, bucket: str, prefix: str) -> Sequence[StoredObject]:
        """The objects whose names start with `prefix`, in name order."""
        ...

    def stream(self, stored: StoredObject) -> AbstractContextManager[BinaryIO]:
        """The bytes of exactly that generation as they are stored; ObjectGone when it was deleted or replaced.

        Absolute positions can be sought; those ahead and near cost least. Reading raises ObjectGone, too, and Retryable
        when the bytes turn out to differ from what was stored.
        """
        ...

    def read(self, bucket: str, name: str) -> bytes | None:
        """The whole of a small object, or None when there is none."""
        ...

    def create(self, bucket: str, name: str, data: bytes, content_type: str) -> bool:
        """Write an object that must not exist yet; False when it does (ifGenerationMatch=0)."""
        ...

    def create_from(self, bucket: str, name: str, chunks: Iterable[bytes], content_type: str) -> bool:
        """As `create`, of data of any size as it comes. Where `chunks` raises, nothing is written.

        With False, chunks may be left unread.
        """
        ...


class Publisher(Protocol):
    """Pub/Sub."""

    def publish(self, fact: Fact) -> None:
        """Publish to the fact's topic and return once it is acknowledged; Retryable when it is not."""
        ...

    def announce(self, notification: Notification) -> None:
        """Publish to the notifications topic and return once it is acknowledged."""
        ...


class Announcer(Protocol):
    """Webhooks."""

    def post(self, url: str, notification: Notification) -> None:
        """POST a notification as JSON; Retryable when the receiver does not answer 2xx."""
        ...


class BaseModels(Protocol):
    """Which base models the endpoint in use serves."""

    def serves(self, base_model: str) -> bool:
        """Whether a request naming this model would be answered."""
        ...


@dataclass(frozen=True)
class Turn:
    """One message of a prompt; `role` is ``system``, ``user`` or ``model``."""

    role: str
    text: str


Prompt = tuple[Turn, ...]


class Predictor(Protocol):
    """Text generation on a base model or a tuned model's endpoint."""

    def generate(self, target: str, prompts: Sequence[Prompt], max_output_tokens: int) -> list[str]:
        """One greedy answer per prompt, in order.

        `target` is a base model's name (``gemini-2.5-flash``) or an endpoint's resource name.
        """
        ...

    def choose(self, target: str, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[str]:
        """The likeliest of `labels` per prompt (decoding constrained to them); Refused when the target cannot."""
        ...

    def count_tokens(self, base_model: str, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is to a base model; Refused when the service does not tell."""
        ...


@dataclass(frozen=True)
class ModelVersion:
    """A version in Model Registry: `name` is ``projects/…/models/ID@VERSION``."""

    name: str
    aliases: tuple[str, ...]
    labels: Mapping[str, str]
    endpoints: tuple[str, ...] = ()


class Registry(Protocol):
    """Model Registry."""

    def get(self, model: str) -> ModelVersion:
        """A model version by name; Refused when there is none."""
        ...

    def with_label(self, key: str, value: str) -> Sequence[ModelVersion]:
        """The default versions of the models that carry a label."""
        ...

    def merge_aliases(self, model: str, changes: Sequence[str]) -> None:
        """Add version aliases, or remove those written with a leading ``-``."""
        ...

    def add_labels(self, model: str, labels: Mapping[str, str]) -> None:
        """Set labels, keeping the others."""
        ...

    def import_evaluation(self, model: str, display_name: str, schema_uri: str, metrics: Mapping[str, Any]) -> str:
        """Attach an evaluation unless one of that display name is there; its resource name either way."""
        ...
