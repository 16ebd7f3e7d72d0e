"""All parts of the local Vertex AI put together over one folder.

This process never imports torch: jobs and answers come from child processes, and creating a job stays quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette

from ..clock import Clock
from .endpoints import Endpoints
from .endpoints_api import EndpointsApi
from .evaluations import Evaluations
from .gcs import Storage
from .jobs import JobQueue
from .local_api import LocalApi
from .models import Models
from .models_api import ModelsApi
from .operations import Operations
from .pipeline_jobs_api import PipelineJobsApi
from .prediction_api import PredictionApi
from .processes import try_own
from .rest_api import build
from .serving import ModelServer
from .store import Store
from .tuner import Tuner, TuningMode
from .tuning_jobs_api import TuningJobsApi

WORKER_COMMAND = (sys.executable, "-m", "localcloud.vertex.worker")
MODEL_SERVER_COMMAND = (sys.executable, "-m", "localcloud.vertex.model_server")
# Differs: Google keeps the metrics of tuning jobs in a bucket of its own choice. This one is made when needed.
METRICS_BUCKET = "local-vertex-tuning-metrics"


@dataclass(frozen=True)
class Settings:
    """How this Vertex AI is set up. Tests bring commands of their own for the child processes."""

    data: Path
    storage_address: str | None
    base_model: str | None = None
    concurrent_jobs: int = 1
    project: str | None = None
    tuning_mode: TuningMode = "lora"
    worker_command: Sequence[str] = WORKER_COMMAND
    model_server_command: Sequence[str] = MODEL_SERVER_COMMAND


class VertexAi:
    """All parts over one folder. `start` and `close` go around serving `app`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        data = settings.data / "vertex"
        data.mkdir(parents=True, exist_ok=True)
        self._lock = try_own(data)
        if self._lock is None:
            raise OSError(f"another local Vertex AI is using {data}; stop it, or give --data another folder")
        base = [] if settings.base_model is None else ["--base-model", settings.base_model]
        self._store = Store(data / "vertex.sqlite3")
        self._storage = Storage(settings.storage_address, clock)
        self._server = ModelServer(
            [*settings.model_server_command, "--data", str(settings.data.resolve()), *base], data, clock
        )
        models, endpoints = Models(self._store, clock, data), Endpoints(self._store, clock)
        operations = Operations(self._store, clock)
        self._queue = JobQueue(
            store=self._store,
            storage=self._storage,
            models=models,
            endpoints=endpoints,
            tuner=Tuner(settings.worker_command, settings.base_model, settings.tuning_mode, clock),
            clock=clock,
            data=data,
            metrics_bucket=METRICS_BUCKET,
            concurrent_jobs=settings.concurrent_jobs,
            on_success=self._server.warm,
        )
        google = [
            *operations.routes(),
            *PipelineJobsApi(self._queue, operations, clock).routes(),
            *TuningJobsApi(self._queue, clock, METRICS_BUCKET).routes(),
            *PredictionApi(endpoints, models, self._server).routes(),
            *ModelsApi(models, endpoints, Evaluations(self._store, models, clock), operations).routes(),
            *EndpointsApi(endpoints, models, operations).routes(),
        ]
        self.app: Starlette = build(google, LocalApi(self._queue).routes(), settings.project)

    def start(self) -> None:
        """Take up unfinished jobs. Needs a running event loop."""
        self._queue.resume()

    async def close(self) -> None:
        """End every child process; what is unfinished stays so."""
        await self._queue.close()
        await self._server.close()
        await self._storage.close()
        self._store.close()
        if self._lock is not None:
            os.close(self._lock)
