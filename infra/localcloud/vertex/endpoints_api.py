"""projects.locations.endpoints over REST: management. Predictions are in `prediction_api`."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ..http import GoogleError, read_json
from .endpoints import Endpoints
from .fields import Fields
from .listing import page
from .models import Models
from .operations import Operations
from .records import DeployedModel, Endpoint
from .routing import PARENT_PATH, parent_of, present, resource_name, route
from .timestamps import rfc3339

KIND = "endpoints"
# What deployments and endpoints may say about machines, traffic and logging, which changes nothing here.
_WITHOUT_EFFECT = (
    "automaticResources", "dedicatedResources", "sharedResources", "serviceAccount", "enableAccessLogging",
    "disableContainerLogging", "enableContainerLogging", "explanationSpec", "privateEndpoints", "createTime", "id",
)  # fmt: skip


class EndpointsApi:
    """Endpoints: those that tuning jobs made, and others to deploy to."""

    def __init__(self, endpoints: Endpoints, models: Models, operations: Operations) -> None:
        self._endpoints = endpoints
        self._models = models
        self._operations = operations

    def routes(self) -> list[Route]:
        collection = f"{PARENT_PATH}/{KIND}"
        endpoint = f"{collection}/{{id}}"
        return [
            route("POST", f"{endpoint}:deployModel", self._deploy),
            route("POST", f"{endpoint}:undeployModel", self._undeploy),
            route("POST", collection, self._create),
            route("GET", collection, self._list),
            route("GET", endpoint, self._get),
            route("DELETE", endpoint, self._delete),
        ]

    async def _create(self, request: Request) -> Mapping[str, Any]:
        body = Fields(await read_json(request))
        body.ignore("encryptionSpec", "network", "enablePrivateServiceConnect", "trafficSplit", "name")
        parent = parent_of(request)
        display_name = body.display_name("displayName")
        if not display_name:
            raise GoogleError("INVALID_ARGUMENT", "displayName is required")
        description, labels = body.text("description"), body.labels()
        body.finish()
        identity = request.query_params.get("endpointId") or str(random.getrandbits(60))
        endpoint = self._endpoints.create(parent, identity, display_name, description, labels)
        return self._operations.done(endpoint.name, "CreateEndpointOperationMetadata", ("Endpoint", render(endpoint)))

    async def _get(self, request: Request) -> Mapping[str, Any]:
        return render(self._endpoints.get(resource_name(request, KIND)))

    async def _list(self, request: Request) -> Mapping[str, Any]:
        endpoints = self._endpoints.below(parent_of(request).collection(KIND))
        return page([render(endpoint) for endpoint in endpoints], KIND, request.query_params)

    async def _deploy(self, request: Request) -> Mapping[str, Any]:
        name = resource_name(request, KIND)
        body = Fields(await read_json(request))
        body.ignore("trafficSplit")
        sent = body.child("deployedModel")
        body.finish()
        version = self._models.get(sent.required_text("model"))
        display_name = sent.display_name("displayName", version.display_name)
        sent.ignore(*_WITHOUT_EFFECT)
        sent.finish()
        deployed = self._endpoints.deploy(name, version, display_name)
        response = ("DeployModelResponse", {"deployedModel": _render_deployed(deployed)})
        return self._operations.done(name, "DeployModelOperationMetadata", response)

    async def _undeploy(self, request: Request) -> Mapping[str, Any]:
        name = resource_name(request, KIND)
        body = Fields(await read_json(request))
        body.ignore("trafficSplit")
        deployed_model_id = body.required_text("deployedModelId")
        body.finish()
        self._endpoints.undeploy(name, deployed_model_id)
        return self._operations.done(name, "UndeployModelOperationMetadata", ("UndeployModelResponse", {}))

    async def _delete(self, request: Request) -> Mapping[str, Any]:
        name = resource_name(request, KIND)
        self._endpoints.delete(name)
        return self._operations.done(name, "DeleteOperationMetadata")


def render(endpoint: Endpoint) -> dict[str, Any]:
    """The Endpoint resource."""
    deployed = endpoint.deployed
    return present(
        {
            "name": endpoint.name,
            "displayName": endpoint.display_name,
            "description": endpoint.description,
            "deployedModels": [] if deployed is None else [_render_deployed(deployed)],
            "trafficSplit": {} if deployed is None else {deployed.id: 100},
            "etag": f"{endpoint.update_time:.6f}",
            "labels": endpoint.labels,
            "createTime": rfc3339(endpoint.create_time),
            "updateTime": rfc3339(endpoint.update_time),
        }
    )


def _render_deployed(deployed: DeployedModel) -> dict[str, Any]:
    return {
        "id": deployed.id,
        "model": deployed.model,
        "modelVersionId": deployed.version,
        "displayName": deployed.display_name,
        "createTime": rfc3339(deployed.create_time),
        "automaticResources": {"minReplicaCount": 1, "maxReplicaCount": 1},
    }
