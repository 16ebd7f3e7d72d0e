"""Connectors: calls that are requests to another Google API, as functions of the library.

`googleapis.SERVICE.VERSION.RESOURCE.METHOD` comes from the service's discovery document, which is read when a
definition names it. Where a service answers is configuration; calling one that is not configured fails by name.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ..stdlib.signature import Effect, Function
from .arguments import signature
from .calls import call_method
from .documents import PREFIX, UnknownConnector, nearest
from .endpoints import NOT_CONFIGURED, Connectors
from .helpers import HELPERS
from .methods import Method, method_of
from .missing import MISSING

if TYPE_CHECKING:
    from ..running.runtime import Strand


@functools.lru_cache(maxsize=1024)
def connector(name: str) -> Function | None:
    """The connector of this name as a library function; None when there is none, see `connector_refusal`."""
    if (special := HELPERS.get(name) or MISSING.get(name)) is not None:
        return special
    if not name.startswith(PREFIX):
        return None
    try:
        return _function(method_of(name))
    except UnknownConnector:
        return None


def connector_refusal(name: str) -> str | None:
    """Why a definition that calls `name` is not deployed; None when that has nothing to do with connectors."""
    family = name.partition(".")[0]
    if siblings := [
        known for known in (*HELPERS, *MISSING) if known.startswith(f"{family}.") and family != "googleapis"
    ]:
        return f"there is no {name}{nearest(name, siblings)}"
    if not name.startswith(PREFIX):
        return None
    try:
        method_of(name)
    except UnknownConnector as error:
        return str(error)
    return None


def _function(method: Method) -> Effect:
    parameters = signature(method)
    names = tuple(parameter.name for parameter in parameters)

    async def body(strand: Strand, *arguments: Any) -> Any:
        given = {name: value for name, value in zip(names, arguments, strict=True) if value is not None}
        return await call_method(strand, method, given)

    return Effect(method.name, parameters, body)


__all__ = ["NOT_CONFIGURED", "Connectors", "connector", "connector_refusal"]
