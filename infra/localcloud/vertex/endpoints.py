"""Endpoints: one model version each, served by the local model server. Source: projects.locations.endpoints (v1)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..clock import Clock
from ..http import GoogleError
from .models import LOCAL_BASE_LABEL, label_value
from .names import Parent, numeric_id
from .records import DeployedModel, Endpoint, ModelVersion
from .store import Store


class Endpoints:
    """The endpoints over the store. Nothing here knows of HTTP."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create_for(self, version: ModelVersion, uid: str, labels: Mapping[str, str]) -> Endpoint:
        """The endpoint of a tuned model, with the model on it: the same one however often this is called."""
        parent = version.model.rpartition("/models/")[0]
        now = self._clock.now()
        endpoint = Endpoint(
            name=f"{parent}/endpoints/{numeric_id(uid, 'endpoint')}",
            display_name=version.display_name,
            description="",
            labels={**labels, LOCAL_BASE_LABEL: label_value(version.local_base)},
            create_time=now,
            update_time=now,
            deployed=self._deployed(version, numeric_id(uid, "deployed"), version.display_name),
        )
        self._store.endpoints.put(endpoint.name, endpoint)
        return endpoint

    def create(
        self, parent: Parent, identity: str, display_name: str, description: str, labels: dict[str, str]
    ) -> Endpoint:
        """An endpoint that serves nothing yet."""
        now = self._clock.now()
        endpoint = Endpoint(
            name=parent.resource("endpoints", identity),
            display_name=display_name,
            description=description,
            labels=labels,
            create_time=now,
            update_time=now,
        )
        self._store.endpoints.insert(endpoint.name, endpoint)
        return endpoint

    def get(self, name: str) -> Endpoint:
        endpoint = self._store.endpoints.get(name)
        if endpoint is None:
            raise GoogleError("NOT_FOUND", f"{name} does not exist")
        return endpoint

    def serving(self, model: str, version: str) -> list[Endpoint]:
        """The endpoints that a model version is deployed to."""
        found = self._store.endpoints.list(model.rpartition("/models/")[0])
        return [e for e in found if e.deployed and (e.deployed.model, e.deployed.version) == (model, version)]

    def below(self, prefix: str) -> list[Endpoint]:
        """The endpoints whose names start with `prefix`, oldest first."""
        return self._store.endpoints.list(prefix)

    def deploy(self, name: str, version: ModelVersion, display_name: str) -> DeployedModel:
        """Put a model version on an endpoint that has none."""
        endpoint = self.get(name)
        if endpoint.deployed is not None:
            raise GoogleError(
                "UNIMPLEMENTED",
                f"{name} already serves {endpoint.deployed.model}; this local Vertex AI serves one model per endpoint, "
                "so undeploy it first or use another endpoint",
            )
        deployed = self._deployed(version, numeric_id(name, version.name, str(self._clock.now())), display_name)
        self._put(endpoint, deployed)
        return deployed

    def undeploy(self, name: str, deployed_model_id: str) -> None:
        endpoint = self.get(name)
        if endpoint.deployed is None or endpoint.deployed.id != deployed_model_id:
            raise GoogleError("NOT_FOUND", f"{name} has no deployed model {deployed_model_id!r}")
        self._put(endpoint, None)

    def delete(self, name: str) -> None:
        endpoint = self.get(name)
        if endpoint.deployed is not None:
            raise GoogleError("FAILED_PRECONDITION", f"{name} serves {endpoint.deployed.model}; undeploy it first")
        self._store.endpoints.delete(name)

    def _deployed(self, version: ModelVersion, identity: str, display_name: str) -> DeployedModel:
        return DeployedModel(
            id=identity,
            model=version.model,
            version=version.version,
            display_name=display_name,
            create_time=self._clock.now(),
        )

    def _put(self, endpoint: Endpoint, deployed: DeployedModel | None) -> None:
        changed = msgspec.structs.replace(endpoint, deployed=deployed, update_time=self._clock.now())
        self._store.endpoints.put(endpoint.name, changed)
