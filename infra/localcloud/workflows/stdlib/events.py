"""events.*: endpoints that the world calls, and waiting for such a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import type_error, value_error
from ..values import type_name
from .http import METHODS
from .signature import MAP, NUMBER, STRING, Effect, Param, table

if TYPE_CHECKING:
    from ..running.journal import Commit
    from ..running.runtime import Strand


async def _create(strand: Strand, http_callback_method: str) -> dict[str, Any]:
    if http_callback_method not in METHODS:
        raise value_error(f"http_callback_method must be one of {', '.join(METHODS)}, found {http_callback_method!r}")

    async def create() -> str:
        return strand.run.callbacks.create(strand.run.execution, http_callback_method)

    return {"url": await strand.effect(create)}


async def _await(strand: Strand, callback: dict[str, Any], timeout_seconds: float) -> dict[str, Any]:
    url = callback.get("url")
    if not isinstance(url, str):
        raise type_error(f"events.await_callback: callback.url must be a string, not {type_name(url)}")
    if timeout_seconds <= 0:
        raise value_error(f"events.await_callback: timeout must be positive, found {timeout_seconds}")
    deadline = await strand.now() + timeout_seconds
    taken: list[Commit] = []

    async def wait() -> dict[str, Any]:
        request, take = await strand.run.callbacks.wait(strand.run.execution, url, deadline)
        taken.append(take)
        return request

    def take_off() -> None:
        for take in taken:
            take()

    request: dict[str, Any] = await strand.effect(wait, take_off)
    return request


FUNCTIONS = table(
    Effect("events.create_callback_endpoint", (Param("http_callback_method", STRING, "POST"),), _create),
    Effect(
        "events.await_callback",
        (Param("callback", MAP), Param("timeout", NUMBER, limits.CALLBACK_TIMEOUT_SECONDS)),
        _await,
    ),
)
