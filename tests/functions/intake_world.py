"""An intake bucket in memory with data sets to drop into it, and what comes of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from fakes import MemoryObjects

from droptune.events import DatasetReady, DatasetRejected
from droptune.ports import StoredObject
from droptune.settings import Settings
from droptune.validate import Ports, validate

SETTINGS = Settings(project="p", region="r", intake_bucket="in", runs_bucket="runs", vertex_endpoint="http://x")


def rows(start: int, stop: int) -> bytes:
    labels = ("card_arrival", "lost_card")
    return b"".join(
        json.dumps({"input_text": f"Where is card {n}?", "output_text": labels[n % 2]}).encode() + b"\n"
        for n in range(start, stop)
    )


TRAIN, EVAL = rows(0, 100), rows(100, 140)
PREFERENCES = b"".join(
    json.dumps({"input_text": f"Q {n}?", "candidate_0": "Yes.", "candidate_1": f"No {n}.", "choice": n % 2}).encode()
    + b"\n"
    for n in range(40)
)
PROMPTS = b"".join(json.dumps({"input_text": f"Which of {n}?"}).encode() + b"\n" for n in range(40))


@dataclass
class Endpoint:
    """The base models that the endpoint in use serves."""

    served: frozenset[str] = frozenset({"text-bison@002", "text-bison-32k@002"})

    def serves(self, base_model: str) -> bool:
        return base_model in self.served


@dataclass
class World:
    """Validation with all that it needs, and users who upload."""

    objects: MemoryObjects = field(default_factory=MemoryObjects)
    endpoint: Endpoint = field(default_factory=Endpoint)

    @property
    def ports(self) -> Ports:
        return Ports(self.objects, self.endpoint, SETTINGS)

    def upload(self, name: str, data: bytes, **metadata: str) -> StoredObject:
        return self.objects.upload("in", name, data, metadata)

    def drop(self, name: str, data: bytes, **metadata: str) -> DatasetReady | DatasetRejected | None:
        """Upload an object and validate its event."""
        return validate(self.upload(name, data, **metadata), self.ports)

    def report(self, run_id: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.objects.read("runs", f"{run_id}/report.json") or b"null")
        return report

    def reports(self) -> list[dict[str, Any]]:
        """The reports of all runs."""
        names = [name for name in self.objects.names("runs") if name.endswith("report.json")]
        return [json.loads(self.objects.read("runs", name) or b"null") for name in names]


def ready(fact: object) -> DatasetReady:
    assert isinstance(fact, DatasetReady)
    return fact


def rejected(fact: object) -> DatasetRejected:
    assert isinstance(fact, DatasetRejected)
    return fact
