"""The wiring file (``pipeline.yaml``) as types, with its placeholders filled in.

Reads what ``infra/pipeline.schema.json`` allows; whatever concerns Google Cloud only (roles, memory, lifecycles) is
left to Terraform, which reads the same file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .process import CannotStart

PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\.([a-z0-9-]+))?\}")


class WiringError(CannotStart):
    """The wiring file says something that cannot be; the message names the place."""


@dataclass(frozen=True)
class Delivery:
    """How a subscription retries: seconds, and how often before the dead-letter topic."""

    ack_deadline_seconds: int
    max_delivery_attempts: int
    minimum_backoff_seconds: float
    maximum_backoff_seconds: float


@dataclass(frozen=True)
class Subscription:
    name: str
    topic: str
    delivery: Delivery


@dataclass(frozen=True)
class Function:
    """`max_instances` bounds the requests under way, as an instance takes one at a time."""

    name: str
    entry_point: str
    signature: str
    max_instances: int


@dataclass(frozen=True)
class Workflow:
    name: str
    source: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Trigger:
    """An Eventarc trigger: a `bucket` (its name) or a `topic`, to a `function` or a `workflow`."""

    name: str
    bucket: str | None
    topic: str | None
    function: str | None
    workflow: str | None
    delivery: Delivery


@dataclass(frozen=True)
class Wiring:
    buckets: tuple[str, ...]
    topics: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]
    functions_source: Path
    functions: tuple[Function, ...]
    functions_environment: Mapping[str, str]
    workflows: tuple[Workflow, ...]
    triggers: tuple[Trigger, ...]


def read(path: Path, project: str, region: str, functions_address: str) -> Wiring:
    """The wiring of `path`, its own paths resolved against the repository that holds it.

    `functions_address` is where functions are served: the function NAME answers at ``<address>/NAME/``.
    """
    root = path.resolve().parent.parent
    try:
        raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise WiringError(f"{path} is not YAML: {error}") from error
    buckets = {key: _fill(b["name"], {"project": project, "region": region}, {}) for key, b in raw["buckets"].items()}
    plain = {"project": project, "region": region}
    keyed = {
        **{f"bucket.{key}": name for key, name in buckets.items()},
        **{f"function.{key}": f"{functions_address}/{key}/" for key in raw["functions"]},
    }
    default = raw["trigger_delivery"]
    return Wiring(
        buckets=tuple(buckets.values()),
        topics=tuple(raw["topics"]),
        subscriptions=tuple(
            Subscription(name, s["topic"], _delivery(s)) for name, s in raw.get("subscriptions", {}).items()
        ),
        functions_source=root / raw["functions_source"],
        functions=tuple(
            Function(name, f["entry_point"], f["signature"], f["max_instances"]) for name, f in raw["functions"].items()
        ),
        functions_environment={k: _fill(v, plain, keyed) for k, v in raw["functions_environment"].items()},
        workflows=tuple(
            Workflow(name, root / w["source"], {k: _fill(v, plain, keyed) for k, v in w["environment"].items()})
            for name, w in raw["workflows"].items()
        ),
        triggers=tuple(
            Trigger(
                name=name,
                bucket=_known(t["bucket"], buckets, f"triggers.{name}.bucket") if "bucket" in t else None,
                topic=t.get("topic"),
                function=t.get("function"),
                workflow=t.get("workflow"),
                delivery=_delivery(t.get("delivery", default)),
            )
            for name, t in raw["triggers"].items()
        ),
    )


def _delivery(raw: Mapping[str, Any]) -> Delivery:
    return Delivery(
        ack_deadline_seconds=raw["ack_deadline_seconds"],
        max_delivery_attempts=raw["dead_letter"]["max_delivery_attempts"],
        minimum_backoff_seconds=raw["retry"]["minimum_backoff_seconds"],
        maximum_backoff_seconds=raw["retry"]["maximum_backoff_seconds"],
    )


def _known(key: str, names: Mapping[str, str], place: str) -> str:
    if key not in names:
        raise WiringError(f"{place}: {key!r} is not declared; declared: {', '.join(names)}")
    return names[key]


def _fill(text: str, plain: Mapping[str, str], keyed: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        whole = match.group(0)[1:-1]
        known = {**plain, **keyed}
        if whole not in known:
            raise WiringError(f"placeholder {{{whole}}} is not known; known: {', '.join(known)}")
        return known[whole]

    return PLACEHOLDER.sub(value, text)
