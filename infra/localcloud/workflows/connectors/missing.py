"""Functions of the service that nothing local can answer: a definition may name them, and calling one fails by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..errors import tagged
from ..stdlib.signature import Effect, Function, table

if TYPE_CHECKING:
    from ..running.runtime import Strand

_ADVICE: Final[Mapping[str, str]] = {
    "gke": "call the cluster's address with http.request",
    "shell": "there is no shell; call a service with http.request",
}


def _missing(name: str) -> Effect:
    async def body(strand: Strand, *arguments: Any) -> Any:
        raise tagged("SystemError", f"{name} is not available locally: {_ADVICE[name.partition('.')[0]]}")

    return Effect(name, (), body, any_arguments=True)


# Reference: "Kubernetes API connector" and "Run shell commands"; their parameters are not imitated either.
MISSING: Final[Mapping[str, Function]] = table(
    *(_missing(f"gke.{name}") for name in ("await_job", "create_job", "delete_job", "request")),
    *(_missing(f"shell.{name}") for name in ("gcloud", "kubectl")),
)
