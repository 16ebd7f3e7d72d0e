"""The composition root: settings to clients to ports, built once per instance, each on first use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache, cached_property

from . import log
from .clients.pubsub import PubSub
from .clients.storage import CloudStorage
from .evaluate import EvaluatePorts
from .notify import NotifyPorts
from .register import RegisterPorts
from .runs import Ledger
from .settings import Settings
from .validate import Ports as ValidatePorts


class App:
    """Everything that the entry points share. Building it reads the environment and opens no connection."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.settings = Settings.from_env(env)
        log.configure(self.settings.project)
        self.objects = CloudStorage(self.settings.project)
        self.publisher = PubSub(self.settings.project)
        self.ledger = Ledger(self.objects, self.settings.runs_bucket)

    @cached_property
    def validating(self) -> ValidatePorts:
        from .clients.rest import GoogleRest
        from .clients.vertex import VertexBaseModels

        return ValidatePorts(self.objects, VertexBaseModels(GoogleRest(), self.settings), self.settings)

    @cached_property
    def evaluating(self) -> EvaluatePorts:
        from .clients.rest import GoogleRest
        from .clients.vertex import VertexRegistry, predictor_for

        rest = GoogleRest()
        return EvaluatePorts(
            objects=self.objects,
            predictor=lambda ready: predictor_for(ready, rest, self.settings),
            registry=VertexRegistry(rest, self.settings, self.settings.region),
            settings=self.settings,
        )

    @cached_property
    def registering(self) -> RegisterPorts:
        from .clients.rest import GoogleRest
        from .clients.vertex import VertexRegistry

        rest = GoogleRest()
        return RegisterPorts(self.objects, lambda region: VertexRegistry(rest, self.settings, region), self.settings)

    @cached_property
    def notifying(self) -> NotifyPorts:
        from .clients.webhook import WebhookAnnouncer

        return NotifyPorts(self.objects, self.publisher, WebhookAnnouncer(), self.settings)


@cache
def app() -> App:
    """This instance's App."""
    return App(os.environ)
