"""projects.locations.models over REST: the registry, its aliases, and evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ..http import GoogleError, read_json
from .endpoints import Endpoints
from .evaluations import Evaluations
from .fields import Fields
from .listing import page
from .masks import update_paths
from .models import DEFAULT_ALIAS, Models
from .operations import Operations
from .records import Evaluation, ModelVersion
from .routing import PARENT_PATH, Handler, parent_of, present, resource_name, route
from .timestamps import rfc3339

KIND = "models"
_UPDATABLE = ("displayName", "description", "versionDescription", "labels")


class ModelsApi:
    """Models that tuning jobs made."""

    def __init__(self, models: Models, endpoints: Endpoints, evaluations: Evaluations, operations: Operations) -> None:
        self._models = models
        self._endpoints = endpoints
        self._evaluations = evaluations
        self._operations = operations

    def routes(self) -> list[Route]:
        collection = f"{PARENT_PATH}/{KIND}"
        model = f"{collection}/{{id}}"
        return [
            route("POST", f"{collection}:upload", self._refuse("models:upload", "tune a model; it registers itself")),
            route("POST", f"{collection}:copy", self._refuse("models:copy", "tune a model in that location")),
            route("POST", f"{model}:export", self._refuse("models:export", "take the adapter from the data folder")),
            route("GET", f"{model}:listVersions", self._list_versions),
            route("POST", f"{model}:mergeVersionAliases", self._merge_aliases),
            route("DELETE", f"{model}:deleteVersion", self._delete_version),
            route("POST", f"{model}/evaluations:import", self._import_evaluation),
            route("GET", f"{model}/evaluations", self._list_evaluations),
            route("GET", f"{model}/evaluations/{{evaluation}}", self._get_evaluation),
            route("GET", collection, self._list),
            route("GET", model, self._get),
            route("PATCH", model, self._patch),
            route("DELETE", model, self._delete),
        ]

    async def _get(self, request: Request) -> Mapping[str, Any]:
        return self._render(self._models.get(resource_name(request, KIND)))

    async def _list(self, request: Request) -> Mapping[str, Any]:
        versions = self._models.list_defaults(parent_of(request).collection(KIND))
        return page([self._render(version) for version in versions], KIND, request.query_params)

    async def _list_versions(self, request: Request) -> Mapping[str, Any]:
        versions = self._models.versions(resource_name(request, KIND).partition("@")[0])
        return page([self._render(version) for version in versions], KIND, request.query_params)

    async def _patch(self, request: Request) -> Mapping[str, Any]:
        paths = update_paths(request.query_params.get("updateMask"), _UPDATABLE)
        model = Fields(await read_json(request))
        changes: dict[str, Any] = {}
        if "displayName" in paths:
            changes["display_name"] = model.required_text("displayName") and model.display_name("displayName")
        if "description" in paths or "versionDescription" in paths:
            changes["description"] = model.text("description" if "description" in paths else "versionDescription")
        if "labels" in paths:
            changes["labels"] = model.labels()
        return self._render(self._models.update(resource_name(request, KIND), **changes))

    async def _merge_aliases(self, request: Request) -> Mapping[str, Any]:
        body = Fields(await read_json(request))
        aliases = body.items("versionAliases")
        body.ignore("name")
        body.finish()
        if not aliases or not all(isinstance(alias, str) for alias in aliases):
            raise GoogleError("INVALID_ARGUMENT", "versionAliases is required, a list of strings")
        return self._render(self._models.merge_aliases(resource_name(request, KIND), aliases))

    async def _delete(self, request: Request) -> Mapping[str, Any]:
        name = resource_name(request, KIND)
        self._models.delete(name)
        return self._operations.done(name, "DeleteOperationMetadata")

    async def _delete_version(self, request: Request) -> Mapping[str, Any]:
        name = resource_name(request, KIND)
        self._models.delete_version(name)
        return self._operations.done(name.partition("@")[0], "DeleteOperationMetadata")

    async def _import_evaluation(self, request: Request) -> Mapping[str, Any]:
        name = resource_name(request, KIND)
        return _render_evaluation(self._evaluations.import_evaluation(name, await read_json(request)))

    async def _list_evaluations(self, request: Request) -> Mapping[str, Any]:
        evaluations = self._evaluations.list(resource_name(request, KIND))
        return page([_render_evaluation(e) for e in evaluations], "modelEvaluations", request.query_params)

    async def _get_evaluation(self, request: Request) -> Mapping[str, Any]:
        identity = request.path_params["evaluation"]
        return _render_evaluation(self._evaluations.get(resource_name(request, KIND), identity))

    def _refuse(self, what: str, instead: str) -> Handler:
        async def handler(request: Request) -> Mapping[str, Any]:
            raise GoogleError("UNIMPLEMENTED", f"{what} is not implemented by this local Vertex AI; {instead}")

        return handler

    def _render(self, version: ModelVersion) -> dict[str, Any]:
        """The Model resource. Its name has no version; `versionId` has it."""
        deployed = [
            {"endpoint": endpoint.name, "deployedModelId": endpoint.deployed.id}
            for endpoint in self._endpoints.serving(version.model, version.version)
            if endpoint.deployed is not None
        ]
        times = {"createTime": rfc3339(version.create_time), "updateTime": rfc3339(version.update_time)}
        return present(
            {
                "name": version.model,
                "displayName": version.display_name,
                "description": version.description,
                "versionId": version.version,
                # Some clients look for the default at the first place.
                "versionAliases": sorted(version.aliases, key=lambda alias: (alias != DEFAULT_ALIAS, alias)),
                **times,
                "versionCreateTime": times["createTime"],
                "versionUpdateTime": times["updateTime"],
                "etag": f"{version.update_time:.6f}",
                "labels": version.labels,
                "deployedModels": deployed,
                "supportedDeploymentResourcesTypes": ["AUTOMATIC_RESOURCES"],
                "modelSourceInfo": {"sourceType": "GENIE"},
                "baseModelSource": {"genieSource": {"baseModelUri": f"publishers/google/models/{version.base_model}"}},
            }
        )


def _render_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    return present(
        {
            "name": evaluation.name,
            "displayName": evaluation.display_name,
            "metricsSchemaUri": evaluation.schema_uri,
            "metrics": evaluation.metrics,
            "metadata": evaluation.metadata,
            "createTime": rfc3339(evaluation.create_time),
        }
    )
