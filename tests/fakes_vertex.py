"""Ports of the hops after tuning, in memory: predictions, Model Registry, webhooks, Pub/Sub."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from droptune.errors import Refused, Retryable
from droptune.events import Fact, Notification
from droptune.ports import ModelVersion, Prompt

Answer = Callable[[str, Prompt], str]
Choice = Callable[[str, Prompt, Sequence[str]], str]
Tokens = Callable[[str], int]


def words(text: str) -> int:
    """How many words a label has."""
    return len(text.split("_"))


@dataclass
class MemoryPredictor:
    """Answers by a function of target and prompt. `asked` holds every prompt.

    Without `choice` it refuses to choose, without `tokens` to count.
    """

    answer: Answer
    choice: Choice | None = None
    tokens: Tokens | None = words
    asked: list[tuple[str, str, Prompt]] = field(default_factory=list)
    limits: set[int] = field(default_factory=set)

    def generate(self, target: str, prompts: Sequence[Prompt], max_output_tokens: int) -> list[str]:
        self.limits.add(max_output_tokens)
        self.asked += [("generate", target, prompt) for prompt in prompts]
        return [self.answer(target, prompt) for prompt in prompts]

    def choose(self, target: str, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[str]:
        if self.choice is None:
            raise Refused(f"{target} has no controlled generation")
        self.asked += [("choose", target, prompt) for prompt in prompts]
        return [self.choice(target, prompt, labels) for prompt in prompts]

    def count_tokens(self, base_model: str, texts: Sequence[str]) -> list[int]:
        if self.tokens is None:
            raise Refused(f"{base_model} counts no tokens")
        return [self.tokens(text) for text in texts]


@dataclass
class MemoryRegistry:
    """Models by versioned name. `crash_before` lets that many changes happen, then fails once instead of the next."""

    models: dict[str, ModelVersion] = field(default_factory=dict)
    evaluations: dict[tuple[str, str], tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    changes: int = 0
    crash_before: int | None = None

    def add(self, name: str, **fields: Any) -> None:
        self.models[name] = ModelVersion(**{"name": name, "aliases": ("default",), "labels": {}, **fields})

    def get(self, model: str) -> ModelVersion:
        for name, version in self.models.items():
            if model in (name, name.partition("@")[0]):
                return version
        raise Refused(f"{model} does not exist")

    def with_label(self, key: str, value: str) -> Sequence[ModelVersion]:
        return [version for version in self.models.values() if version.labels.get(key) == value]

    def merge_aliases(self, model: str, changes: Sequence[str]) -> None:
        self._change()
        version = self.get(model)
        removed = {change[1:] for change in changes if change.startswith("-")}
        added = {change for change in changes if not change.startswith("-")}
        aliases = tuple(sorted((set(version.aliases) - removed) | added))
        self.models[version.name] = replace(version, aliases=aliases)

    def add_labels(self, model: str, labels: Mapping[str, str]) -> None:
        self._change()
        version = self.get(model)
        self.models[version.name] = replace(version, labels={**version.labels, **labels})

    def import_evaluation(self, model: str, display_name: str, schema_uri: str, metrics: Mapping[str, Any]) -> str:
        self._change()
        self.evaluations.setdefault((model, display_name), (schema_uri, metrics))
        return f"{model}/evaluations/{display_name}"

    def _change(self) -> None:
        if self.crash_before == self.changes:
            self.crash_before = None
            raise Retryable("the registry is unreachable")
        self.changes += 1


@dataclass
class MemoryAnnouncer:
    """Keeps what each webhook got; addresses in `dead` take nothing."""

    posted: list[tuple[str, Notification]] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)

    def post(self, url: str, notification: Notification) -> None:
        if url in self.dead:
            raise Retryable("webhook answered 500")
        self.posted.append((url, notification))


@dataclass
class MemoryPublisher:
    """Keeps what was published."""

    facts: list[Fact] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)

    def publish(self, fact: Fact) -> None:
        self.facts.append(fact)

    def announce(self, notification: Notification) -> None:
        self.notifications.append(notification)
