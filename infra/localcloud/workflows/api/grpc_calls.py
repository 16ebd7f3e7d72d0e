"""What every gRPC service here does alike: one request, one answer, refusals as statuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc

from ...http import RPC_CODES, GoogleError

_STATUS = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class Method:
    """A method: how its request is read, and what gives its serialized answer or raises GoogleError."""

    answer: Callable[[Any], bytes]
    read: Callable[[bytes], Any]


def service_handler(service: str, methods: Mapping[str, Method]) -> Any:
    """A service, as what a gRPC server looks its methods up in."""
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(_answered(method.answer), request_deserializer=method.read)
        for name, method in methods.items()
    }
    return grpc.method_handlers_generic_handler(service, handlers)


def _answered(handler: Callable[[Any], bytes]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def answer(request: Any, context: Any) -> Any:
        try:
            return handler(request)
        except GoogleError as error:
            await context.abort(_STATUS[RPC_CODES[error.status][0]], error.message)

    return answer
