"""Resource names: where a request points, and the numeric ids given to what it makes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Parent:
    """The project and location that a resource lives in."""

    project: str
    location: str

    @property
    def name(self) -> str:
        return f"projects/{self.project}/locations/{self.location}"

    def collection(self, kind: str) -> str:
        """The prefix of every resource of `kind` here, with the trailing slash."""
        return f"{self.name}/{kind}/"

    def resource(self, kind: str, identity: str) -> str:
        return f"{self.name}/{kind}/{identity}"


def numeric_id(*parts: str) -> str:
    """A 19-digit id like the service's own, always the same for the same parts. It fits into an int64.

    Whatever a job makes takes its id from the job, so that finishing it a second time finds what the first time made.
    """
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return str(10**18 + int.from_bytes(digest[:8], "big") % (8 * 10**18))


def split_version(reference: str) -> tuple[str, str | None]:
    """``55@champion`` -> ``("55", "champion")``; ``55`` -> ``("55", None)``. Also for a full model name."""
    head, _, version = reference.partition("@")
    return head, version or None
