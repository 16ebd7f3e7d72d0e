"""Predictions over REST, from tuned models' endpoints and from publisher models, which the local base answers for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..http import GoogleError, read_json
from .catalogue import MODELS, PublishedModel, published_model
from .endpoints import Endpoints
from .listing import page
from .models import Models
from .prediction import (
    ContentRequest,
    billable_characters,
    choice_response,
    content_response,
    parse_count_tokens,
    parse_generate_content,
    parse_predict,
    predict_response,
)
from .routing import PARENT_PATH, resource_name, route
from .serving import ModelServer

PUBLISHER_PATH = "/publishers/google/models/{model}"


@dataclass(frozen=True)
class Target:
    """Who answers: the base model, or it with `adapter`. `about` goes into predict responses."""

    adapter: Path | None
    model_version: str
    about: Mapping[str, str]


class PredictionApi:
    """generateContent, streamGenerateContent, predict and countTokens."""

    def __init__(self, endpoints: Endpoints, models: Models, server: ModelServer) -> None:
        self._endpoints = endpoints
        self._models = models
        self._server = server

    def routes(self) -> list[Route]:
        answering = []
        for path in (f"{PARENT_PATH}/endpoints/{{id}}", f"{PARENT_PATH}{PUBLISHER_PATH}"):
            answering += [
                route("POST", f"{path}:generateContent", self._generate_content),
                Route(f"{path}:streamGenerateContent", self._stream_generate_content, methods=["POST"]),
                route("POST", f"{path}:predict", self._predict),
                route("POST", f"{path}:countTokens", self._count_tokens),
            ]
        published = [route("GET", path, self._published) for path in (PUBLISHER_PATH, PARENT_PATH + PUBLISHER_PATH)]
        return [*answering, *published, route("GET", "/publishers/google/models", self._list_published)]

    async def _generate_content(self, request: Request) -> Mapping[str, Any]:
        target = await self._target(request)
        return await self._content(target, parse_generate_content(await read_json(request)))

    async def _stream_generate_content(self, request: Request) -> Response:
        # Differs: the answer comes in one chunk, when it is complete.
        chunk = await self._generate_content(request)
        if request.query_params.get("alt") == "sse":
            return Response(f"data: {json.dumps(chunk)}\r\n\r\n", media_type="text/event-stream")
        return JSONResponse([chunk])

    async def _content(self, target: Target, asked: ContentRequest) -> Mapping[str, Any]:
        if not asked.labels:
            generations = await self._server.generate(target.adapter, [asked.prompt], asked.sampling)
            return content_response(generations[0], target.model_version)
        scores = await self._server.score(target.adapter, asked.prompt, asked.labels)
        prompt_tokens = (await self._server.count_tokens([asked.prompt]))[0]
        return choice_response(asked.labels, scores, prompt_tokens, target.model_version)

    async def _predict(self, request: Request) -> Mapping[str, Any]:
        target = await self._target(request)
        asked = parse_predict(await read_json(request))
        generations = await self._server.generate(target.adapter, asked.prompts, asked.sampling)
        return {**predict_response(asked.prompts, generations), **target.about}

    async def _count_tokens(self, request: Request) -> Mapping[str, Any]:
        await self._target(request)
        prompts = parse_count_tokens(await read_json(request))
        tokens = sum(await self._server.count_tokens(prompts))
        return {"totalTokens": tokens, "totalBillableCharacters": billable_characters(prompts)}

    async def _published(self, request: Request) -> Mapping[str, Any]:
        """PublisherModel: how a client learns that this endpoint serves a model, retired by Google or not."""
        return _render(_published_model(request))

    async def _list_published(self, request: Request) -> Mapping[str, Any]:
        return page([_render(model) for model in MODELS.values()], "publisherModels", request.query_params)

    async def _target(self, request: Request) -> Target:
        if "model" in request.path_params:
            _published_model(request)
            # Whatever the request calls it, the answer says which model gave it.
            name = await self._server.base_name()
            return Target(None, name, {"modelDisplayName": name})
        endpoint = self._endpoints.get(resource_name(request, "endpoints"))
        deployed = endpoint.deployed
        if deployed is None:
            raise GoogleError("FAILED_PRECONDITION", f"{endpoint.name} serves no model; deploy one to it")
        version = self._models.get(f"{deployed.model}@{deployed.version}")
        about = {
            "deployedModelId": deployed.id,
            "model": deployed.model,
            "modelDisplayName": deployed.display_name,
            "modelVersionId": deployed.version,
        }
        return Target(self._models.weights(version), version.name, about)


def _render(model: PublishedModel) -> Mapping[str, Any]:
    name = f"publishers/google/models/{model.name.partition('@')[0]}"
    return {"name": name, "versionId": model.version_id, "launchStage": "GA"}


def _published_model(request: Request) -> PublishedModel:
    name = request.path_params["model"]
    if (model := published_model(name)) is None:
        raise GoogleError(
            "NOT_FOUND", f"publishers/google/models/{name} is not served by this local Vertex AI (see its README)"
        )
    return model
