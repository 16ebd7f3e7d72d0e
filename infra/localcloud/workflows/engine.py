"""The composition root: definitions, executions and callbacks over one store, one clock and one HTTP client."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock
from .connectors import NOT_CONFIGURED, Connectors
from .running.http_client import HttpClient
from .running.observer import Observer
from .service.callbacks import Callbacks
from .service.definitions import Definitions
from .service.executions import Executions
from .service.runner import Runner
from .service.store import Store


class Engine:
    """A whole interpreter, without a server.

    `base_url` is where callback endpoints are reached; `observe` gives an observer for an execution, by its name;
    `connectors` says where the services answer that connectors call. Without `history` no step entries are kept, which
    makes steps twice as fast.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        http: HttpClient,
        base_url: str = "http://127.0.0.1",
        observe: Callable[[str], Observer | None] = lambda execution: None,
        connectors: Connectors = NOT_CONFIGURED,
        *,
        history: bool = True,
    ) -> None:
        self.base_url = base_url
        self.clock = clock
        self.callbacks = Callbacks(store, clock, lambda: self.base_url)
        self.definitions = Definitions(store, clock)
        runner = Runner(
            store, self.definitions, self.callbacks, clock, http, observe, connectors, keeps_history=history
        )
        self.executions = Executions(store, self.definitions, clock, runner)
