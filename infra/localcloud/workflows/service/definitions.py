"""Workflows as resources: deploying, revisions, operations. Knows the v1 fields, not HTTP."""

from __future__ import annotations

import functools
import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...clock import Clock
from ...http import GoogleError
from .. import limits
from ..errors import SourceError
from ..language.parser import parse
from ..language.syntax import Program
from .store import Store

_ID = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
_TYPES = "type.googleapis.com/google.cloud.workflows.v1."
# What a caller may set; everything else of the resource is ours.
_FIELDS = (
    "description",
    "labels",
    "serviceAccount",
    "sourceContents",
    "cryptoKeyName",
    "callLogLevel",
    "userEnvVars",
    "executionHistoryLevel",
    "tags",
)
# A change of one of these makes a new revision.
_REVISED_BY = ("sourceContents", "serviceAccount", "userEnvVars")


def timestamp(seconds: float) -> str:
    """RFC 3339, as in every resource."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@functools.lru_cache(maxsize=256)
def program_of(source: str) -> Program:
    """The program of a source that was deployed, parsed once."""
    return parse(source)


@dataclass(frozen=True)
class Deployed:
    """What all executions of a revision share; `environment` lacks only the execution's id."""

    program: Program
    environment: Mapping[str, str]


class Definitions:
    """All workflows. `on_delete` is told the name of one that goes away."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.on_delete: Callable[[str], None] = lambda name: None
        self.deployed = functools.lru_cache(maxsize=256)(self._deployed)

    def create(self, parent: str, workflow_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The operation that made the workflow."""
        if not _ID.fullmatch(workflow_id):
            message = (
                f"workflow id {workflow_id!r}: 1-64 letters, digits, _ and -, a letter first, a letter or digit last"
            )
            raise GoogleError("INVALID_ARGUMENT", message)
        name = f"{parent}/workflows/{workflow_id}"
        if self._store.revision(name) is not None:
            raise GoogleError("ALREADY_EXISTS", f"workflow {name} exists already; update it instead")
        now = timestamp(self._clock.now())
        fields = _checked(body, _FIELDS)
        resource = {"name": name, "state": "ACTIVE", **fields, "createTime": now, "updateTime": now}
        return self._operation(parent, name, "create", self._revise(resource, 1))

    def update(self, name: str, body: Mapping[str, Any], mask: Iterable[str]) -> dict[str, Any]:
        """The operation that changed the fields of `mask`, or all when it is empty."""
        old = self.get(name)
        fields = [_camel(field) for field in mask] or list(_FIELDS)
        changes = _checked(body, fields)
        kept = {key: value for key, value in old.items() if key not in fields}
        new = {**kept, **changes, "updateTime": timestamp(self._clock.now())}
        _checked(new, _FIELDS)
        number = int(old["revisionId"].partition("-")[0])
        if any(old.get(field) != new.get(field) for field in _REVISED_BY):
            new = self._revise(new, number + 1)
        else:
            self._store.save_revision(name, old["revisionId"], number, new)
        return self._operation(_parent(name), name, "update", new)

    def get(self, name: str, revision: str | None = None) -> dict[str, Any]:
        """A workflow, at its newest revision unless one is named. NOT_FOUND."""
        resource = self._store.revision(name, revision)
        if resource is None:
            suffix = f" at revision {revision}" if revision else ""
            raise GoogleError("NOT_FOUND", f"workflow {name}{suffix} does not exist")
        return resource

    def of_location(self, parent: str) -> list[dict[str, Any]]:
        """All workflows of a location, or of all locations of a project when it is `-`."""
        return self._store.workflows(parent.removesuffix("-") + "*" if parent.endswith("/locations/-") else parent)

    def all(self) -> list[dict[str, Any]]:
        """All workflows of all projects."""
        return self._store.workflows("*")

    def revisions(self, name: str) -> list[dict[str, Any]]:
        """All revisions, newest first. NOT_FOUND."""
        self.get(name)
        return self._store.revisions(name)

    def delete(self, name: str) -> dict[str, Any]:
        """The operation that removed the workflow; its running executions are stopped and removed, too."""
        self.get(name)
        self.on_delete(name)
        self._store.delete_workflow(name)
        # A workflow of the same name may come, with the same revision ids.
        self.deployed.cache_clear()
        return self._operation(_parent(name), name, "delete", None)

    def _deployed(self, name: str, revision: str) -> Deployed:
        resource = self.get(name, revision)
        environment = {**resource.get("userEnvVars", {}), **_built_in_environment(resource)}
        return Deployed(program_of(resource["sourceContents"]), environment)

    def operation(self, name: str) -> dict[str, Any]:
        """An operation. NOT_FOUND."""
        resource = self._store.operation(name)
        if resource is None:
            raise GoogleError("NOT_FOUND", f"operation {name} does not exist")
        return resource

    def operations(self, parent: str) -> list[dict[str, Any]]:
        """All operations of a location."""
        return self._store.operations(parent)

    def delete_operation(self, name: str) -> None:
        """Forget an operation. NOT_FOUND."""
        if not self._store.delete_operation(name):
            raise GoogleError("NOT_FOUND", f"operation {name} does not exist")

    def _revise(self, resource: Mapping[str, Any], number: int) -> dict[str, Any]:
        source = resource.get("sourceContents") or ""
        try:
            program_of(source)
        except SourceError as error:
            raise GoogleError("INVALID_ARGUMENT", str(error)) from error
        suffix = hashlib.sha256(f"{number}{source}".encode()).hexdigest()[:3]
        revision = f"{number:06d}-{suffix}"
        new = {**resource, "revisionId": revision, "revisionCreateTime": timestamp(self._clock.now())}
        self._store.save_revision(resource["name"], revision, number, new)
        return new

    def _operation(self, parent: str, target: str, verb: str, resource: Mapping[str, Any] | None) -> dict[str, Any]:
        now = timestamp(self._clock.now())
        empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
        operation = {
            "name": f"{parent}/operations/operation-{uuid.uuid4()}",
            "metadata": {
                "@type": f"{_TYPES}OperationMetadata",
                "createTime": now,
                "endTime": now,
                "target": target,
                "verb": verb,
                "apiVersion": "v1",
            },
            "done": True,
            "response": empty if resource is None else {"@type": f"{_TYPES}Workflow", **resource},
        }
        self._store.save_operation(operation)
        return operation


def _built_in_environment(resource: Mapping[str, Any]) -> dict[str, str]:
    _, project, _, location, _, workflow = resource["name"].split("/")
    default_account = f"local-workflows@{project}.iam.gserviceaccount.com"
    return {
        "GOOGLE_CLOUD_LOCATION": location,
        "GOOGLE_CLOUD_PROJECT_ID": project,
        # Differs: local projects have no number.
        "GOOGLE_CLOUD_PROJECT_NUMBER": "0",
        "GOOGLE_CLOUD_SERVICE_ACCOUNT_NAME": resource.get("serviceAccount", default_account).rpartition("/")[2],
        "GOOGLE_CLOUD_WORKFLOW_ID": workflow,
        "GOOGLE_CLOUD_WORKFLOW_REVISION_ID": resource["revisionId"],
    }


def _checked(body: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """The named fields of a body that are set. INVALID_ARGUMENT for values beyond the limits."""
    unknown = [field for field in fields if field not in _FIELDS]
    if unknown:
        raise GoogleError("INVALID_ARGUMENT", f"cannot set {', '.join(unknown)}; allowed: {', '.join(_FIELDS)}")
    found = {field: body[field] for field in fields if body.get(field) not in (None, "", {}, [])}
    if len(found.get("description", "")) > limits.DESCRIPTION_CHARACTERS:
        raise GoogleError("INVALID_ARGUMENT", f"description has more than {limits.DESCRIPTION_CHARACTERS} characters")
    if len(found.get("labels", {})) > limits.LABELS:
        raise GoogleError("INVALID_ARGUMENT", f"more than {limits.LABELS} labels")
    _check_environment(found.get("userEnvVars", {}))
    return found


def _check_environment(variables: Mapping[str, str]) -> None:
    if len(variables) > limits.ENVIRONMENT_VARIABLES:
        raise GoogleError("INVALID_ARGUMENT", f"userEnvVars has more than {limits.ENVIRONMENT_VARIABLES} entries")
    for key, value in variables.items():
        if not key or key.startswith(("GOOGLE", "WORKFLOWS")):
            raise GoogleError("INVALID_ARGUMENT", f"userEnvVars: {key!r} is empty or starts with GOOGLE or WORKFLOWS")
        if not isinstance(value, str) or len(value.encode()) > limits.ENVIRONMENT_VALUE_BYTES:
            raise GoogleError("INVALID_ARGUMENT", f"userEnvVars: {key} is no string of at most 4 KiB")


def _camel(field: str) -> str:
    head, *rest = field.strip().split("_")
    return head + "".join(part.capitalize() for part in rest)


def _parent(name: str) -> str:
    return name.rpartition("/workflows/")[0]
