"""A run's identity, and its ledger: the objects below ``gs://<runs bucket>/<run id>/`` that tell its whole story."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from .ports import Objects, StoredObject
from .request import Request

MAX_NAME = 40  # leaves room for the digest and a stage number within the 63 characters of a label


def dataset_name(object_name: str) -> str:
    """The data set that an object belongs to: its folder, or its own name without the ending."""
    first, slash, _ = object_name.partition("/")
    return first if slash else first.removesuffix(".jsonl")


def run_id(name: str, objects: Iterable[StoredObject], request: Request) -> str:
    """``<name>-<8 hex digits>``: the same objects, generations and request give the same run.

    The name is cut down to what labels and pipeline job ids allow: lowercase letters, digits and hyphens, starting
    with a letter.
    """
    digest = hashlib.sha256()
    for stored in sorted(objects, key=lambda o: (o.bucket, o.name)):
        digest.update(f"{stored.bucket}\0{stored.name}\0{stored.generation}\n".encode())
    digest.update(msgspec.json.encode(request, order="deterministic"))
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_NAME].strip("-") or "dataset"
    if not slug[0].isalpha():
        slug = f"d-{slug}"
    return f"{slug}-{digest.hexdigest()[:8]}"


def trace_id(run: str) -> str:
    """The run's trace, 32 hex digits: derived, so that every hop knows it without being told."""
    return hashlib.sha256(run.encode()).hexdigest()[:32]


CONTENT_TYPES = {"json": "application/json", "html": "text/html; charset=utf-8", "jsonl": "application/jsonl"}


@dataclass(frozen=True)
class Ledger:
    """Objects written once each; whoever writes second finds out and leaves the first as it is."""

    objects: Objects
    bucket: str

    def write(self, run: str, name: str, data: bytes) -> bool:
        """Write ``<run>/<name>``; False when it was there already."""
        content_type = CONTENT_TYPES[name.rpartition(".")[2]]
        return self.objects.create(self.bucket, f"{run}/{name}", data, content_type)

    def read(self, run: str, name: str) -> bytes | None:
        return self.objects.read(self.bucket, f"{run}/{name}")

    def uri(self, run: str, name: str) -> str:
        return f"gs://{self.bucket}/{run}/{name}"
