"""Model Registry: models, their versions and aliases.

Source: projects.locations.models (v1). Labels, description and display name belong to a version here, as everything
that `patch` changes does; a name without version means the default one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..clock import Clock
from ..http import GoogleError
from .fields import invalid
from .names import Parent, numeric_id, split_version
from .records import Job, ModelVersion
from .store import Store

DEFAULT_ALIAS = "default"
LOCAL_BASE_LABEL = "local-base-model"
_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-zA-Z0-9-]")


class Models:
    """The registry over the store. Nothing here knows of HTTP."""

    def __init__(self, store: Store, clock: Clock, data: Path) -> None:
        self._store = store
        self._clock = clock
        self._data = data

    def add_tuned(self, job: Job, adapter: str, local_base: str) -> ModelVersion:
        """The model that `job` made: the same one however often this is called."""
        plan = job.plan
        name = Parent(plan.project, plan.location).resource("models", numeric_id(job.uid, "model"))
        now = self._clock.now()
        version = ModelVersion(
            model=name,
            version="1",
            display_name=plan.display_name,
            description=plan.description,
            labels={**plan.labels, LOCAL_BASE_LABEL: label_value(local_base)},
            aliases=(DEFAULT_ALIAS,),
            create_time=now,
            update_time=now,
            adapter=adapter,
            base_model=plan.base_model,
            local_base=local_base,
        )
        self._store.models.put(version.name, version)
        return version

    def get(self, reference: str) -> ModelVersion:
        """The version that ``models/ID``, ``models/ID@2`` or ``models/ID@alias`` names; NOT_FOUND otherwise."""
        model, wanted = split_version(reference)
        for version in self.versions(model):
            if (wanted or DEFAULT_ALIAS) in (version.version, *version.aliases):
                return version
        raise GoogleError("NOT_FOUND", f"{model} has no version or alias {wanted!r}; list them with :listVersions")

    def versions(self, model: str) -> list[ModelVersion]:
        """Every version, oldest first; NOT_FOUND when the model does not exist."""
        versions = self._store.models.list(f"{model}@")
        if not versions:
            raise GoogleError("NOT_FOUND", f"{model} does not exist")
        return versions

    def list_defaults(self, prefix: str) -> list[ModelVersion]:
        """The default version of every model below `prefix`."""
        return [v for v in self._store.models.list(prefix) if DEFAULT_ALIAS in v.aliases]

    def weights(self, version: ModelVersion) -> Path:
        return self._data / version.adapter

    def update(self, reference: str, **changes: Any) -> ModelVersion:
        """Change `display_name`, `description` or `labels` of a version."""
        changed = msgspec.structs.replace(self.get(reference), **changes, update_time=self._clock.now())
        self._store.models.put(changed.name, changed)
        return changed

    def merge_aliases(self, reference: str, requested: Sequence[str]) -> ModelVersion:
        """Add aliases to a version and remove those written with a leading dash.

        An alias belongs to one version of the model: adding it here takes it from another. Adding and removing the same
        alias in one call changes nothing. ``default`` can be moved and not removed.
        """
        target = self.get(reference)
        added = {alias for alias in requested if not alias.startswith("-")}
        removed = {alias[1:] for alias in requested if alias.startswith("-")}
        for alias in added | removed:
            if not _ALIAS.fullmatch(alias):
                raise invalid(
                    f"version alias {alias!r} must begin with a lowercase letter, end with a letter, digit or dash and "
                    "have 2 to 128 letters, digits and dashes"
                )
        added, removed = added - removed, removed - added
        if DEFAULT_ALIAS in removed:
            raise invalid("the alias default cannot be removed; add it to another version to move it there")
        with self._store.transaction():
            for version in self.versions(target.model):
                if version.version == target.version:
                    aliases = (set(version.aliases) - removed) | added
                else:
                    aliases = set(version.aliases) - added
                if aliases != set(version.aliases):
                    self._store.models.put(
                        version.name,
                        msgspec.structs.replace(version, aliases=tuple(sorted(aliases)), update_time=self._clock.now()),
                    )
        return self.get(target.name)

    def delete(self, model: str) -> None:
        """Remove a model with all its versions, evaluations and weights; it must not be deployed."""
        versions = self.versions(model)
        for version in versions:
            self._require_undeployed(version)
        with self._store.transaction():
            for version in versions:
                self._delete_version(version)

    def delete_version(self, reference: str) -> None:
        """Remove one version; the default one goes only with its model."""
        version = self.get(reference)
        if DEFAULT_ALIAS in version.aliases:
            raise invalid(f"{version.name} is the default version; move the alias default first, or delete the model")
        self._require_undeployed(version)
        with self._store.transaction():
            self._delete_version(version)

    def _delete_version(self, version: ModelVersion) -> None:
        self._store.models.delete(version.name)
        for evaluation in self._store.evaluations.list(f"{version.name}/evaluations/"):
            self._store.evaluations.delete(evaluation.name)
        shutil.rmtree(self.weights(version), ignore_errors=True)

    def _require_undeployed(self, version: ModelVersion) -> None:
        for endpoint in self._store.endpoints.list():
            deployed = endpoint.deployed
            if deployed and (deployed.model, deployed.version) == (version.model, version.version):
                raise GoogleError(
                    "FAILED_PRECONDITION", f"{version.name} is deployed to {endpoint.name}; undeploy it there first"
                )


def label_value(text: str) -> str:
    """`text` as far as a label can say it."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-")[:63]
