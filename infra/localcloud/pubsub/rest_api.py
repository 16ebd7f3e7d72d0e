"""The REST transport that gcloud and REST clients use: paths and JSON around `PubSub`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from localcloud.http import GoogleError, application, read_json

from . import wire
from .service import Method, PubSub

TOPIC = "/v1/projects/{project}/topics/{id}"
SUBSCRIPTION = "/v1/projects/{project}/subscriptions/{id}"


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line of google/pubsub/v1/pubsub.proto's http options."""

    verb: str
    path: str
    method: str
    name_field: str  # the request field that takes the resource name of the path, dotted when nested
    action: str = ""  # what follows the colon behind the name


_RULES = (
    _Rule("PUT", TOPIC, "Publisher/CreateTopic", "name"),
    _Rule("PATCH", TOPIC, "Publisher/UpdateTopic", "topic.name"),
    _Rule("GET", TOPIC, "Publisher/GetTopic", "topic"),
    _Rule("DELETE", TOPIC, "Publisher/DeleteTopic", "topic"),
    _Rule("POST", TOPIC, "Publisher/Publish", "topic", "publish"),
    _Rule("GET", "/v1/projects/{project}/topics", "Publisher/ListTopics", "project"),
    _Rule("GET", TOPIC + "/subscriptions", "Publisher/ListTopicSubscriptions", "topic"),
    _Rule("PUT", SUBSCRIPTION, "Subscriber/CreateSubscription", "name"),
    _Rule("PATCH", SUBSCRIPTION, "Subscriber/UpdateSubscription", "subscription.name"),
    _Rule("GET", SUBSCRIPTION, "Subscriber/GetSubscription", "subscription"),
    _Rule("DELETE", SUBSCRIPTION, "Subscriber/DeleteSubscription", "subscription"),
    _Rule("GET", "/v1/projects/{project}/subscriptions", "Subscriber/ListSubscriptions", "project"),
    _Rule("POST", SUBSCRIPTION, "Subscriber/Pull", "subscription", "pull"),
    _Rule("POST", SUBSCRIPTION, "Subscriber/Acknowledge", "subscription", "acknowledge"),
    _Rule("POST", SUBSCRIPTION, "Subscriber/ModifyAckDeadline", "subscription", "modifyAckDeadline"),
    _Rule("POST", SUBSCRIPTION, "Subscriber/ModifyPushConfig", "subscription", "modifyPushConfig"),
    _Rule("POST", SUBSCRIPTION, "Subscriber/Seek", "subscription", "seek"),
)


def build_app(pubsub: PubSub) -> Starlette:
    """The application; GET ``/`` answers as soon as the service does."""
    methods = pubsub.methods()
    routes = [Route("/", _ready)]
    with_action: dict[str, dict[str, tuple[_Rule, Method]]] = {}
    for rule in _RULES:
        method = methods[f"google.pubsub.v1.{rule.method}"]
        if rule.action:
            with_action.setdefault(rule.path, {})[rule.action] = (rule, method)
        else:
            routes.append(Route(rule.path, _endpoint(rule, method), methods=[rule.verb]))
    for path, actions in with_action.items():
        routes.append(Route(path, _action_endpoint(actions), methods=["POST"]))
    return application(routes)


async def _ready(request: Request) -> Response:
    return PlainTextResponse("Ok\n")


def _endpoint(rule: _Rule, method: Method) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        behind_the_name = rule.path.rpartition("}")[2]
        return await _answer(request, rule, method, _resource(request).removesuffix(behind_the_name))

    return handle


def _action_endpoint(actions: Mapping[str, tuple[_Rule, Method]]) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        name, _, action = _resource(request).rpartition(":")
        if action not in actions:
            raise GoogleError(
                "UNIMPLEMENTED",
                f"{action or name!r} is not available in the local Pub/Sub; it has {', '.join(actions)}",
            )
        rule, method = actions[action]
        return await _answer(request, rule, method, name)

    return handle


def _resource(request: Request) -> str:
    path: str = request.scope["path"]
    return path.removeprefix("/v1/")


async def _answer(request: Request, rule: _Rule, method: Method, name: str) -> Response:
    body = await read_json(request)
    body |= {key: value for key, value in request.query_params.items() if not key.startswith(("$", "alt"))}
    message = _parse(method.request, body)
    holder, _, field = rule.name_field.rpartition(".")
    setattr(getattr(message, holder) if holder else message, field, name)
    response = await _unless_disconnected(request, method.call(message))
    return JSONResponse(json_format.MessageToDict(response))


def _parse(message_class: Any, body: dict[str, Any]) -> wire.Proto:
    try:
        return json_format.ParseDict(body, message_class())
    except json_format.ParseError as error:
        raise GoogleError("INVALID_ARGUMENT", f"the request is no {message_class.DESCRIPTOR.name}: {error}") from error


async def _unless_disconnected(request: Request, answer: Awaitable[wire.Proto]) -> wire.Proto:
    """The answer; given up when the client leaves, so that a pull that still waits takes no message for nobody."""
    working = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
            raise GoogleError("CANCELLED", "the client closed the connection")
        return working.result()
    finally:
        leaving.cancel()
