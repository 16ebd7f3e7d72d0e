"""The gRPC server. What it answers with is loaded by the first call: a fifth of the memory, half a second."""

from __future__ import annotations

import functools
from typing import Any

import grpc

from ..engine import Engine


def grpc_server(engine: Engine) -> Any:
    """A grpc.aio server with the services Executions, Workflows and Operations, not bound to a port yet."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Loaded(engine),))
    return server


class _Loaded(grpc.GenericRpcHandler):  # type: ignore[misc]  # the package has no types
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def service(self, details: Any) -> Any:
        found = (handler.service(details) for handler in self._handlers)
        return next((method for method in found if method is not None), None)

    @functools.cached_property
    def _handlers(self) -> tuple[Any, ...]:
        from .grpc_api import executions_handler
        from .grpc_workflows import operations_handler, workflows_handler

        return tuple(make(self._engine) for make in (executions_handler, workflows_handler, operations_handler))
