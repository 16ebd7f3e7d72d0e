"""The queue of tuning jobs: each goes through its states once, whatever is killed in between.

QUEUED (no free slot) -> PENDING (has a slot) -> RUNNING: PROCESSING_DATASET, TUNING, POST_PROCESSING -> SUCCEEDED or
FAILED; CANCELLING -> CANCELLED from any of them. Every change is stored before the next thing happens; after a restart
`resume` takes up what is unfinished, in its old folder, so that the worker goes on from its checkpoint.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ..clock import Clock
from ..http import GoogleError
from .datasets import fetch_datasets
from .endpoints import Endpoints
from .gcs import Storage, split_uri
from .models import Models
from .progress import metric_rows
from .records import TERMINAL, Job, JobError, ModelVersion, Phase, State, Trained
from .store import Store
from .tuner import Tuner, WorkerDied

LOG = logging.getLogger(__name__)
MAX_WORKER_DEATHS = 2
METRICS_FILE = "metrics.jsonl"


class JobQueue:
    """Runs jobs in the order of their creation, `concurrent_jobs` at a time."""

    def __init__(
        self,
        *,
        store: Store,
        storage: Storage,
        models: Models,
        endpoints: Endpoints,
        tuner: Tuner,
        clock: Clock,
        data: Path,
        metrics_bucket: str,
        concurrent_jobs: int = 1,
        on_success: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._storage = storage
        self._models = models
        self._endpoints = endpoints
        self._tuner = tuner
        self._clock = clock
        self._data = data
        self._metrics_bucket = metrics_bucket
        self._concurrent_jobs = concurrent_jobs
        self._on_success = on_success
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._open = False

    def resume(self) -> None:
        """Begin: take up every job that was left unfinished. Needs a running event loop."""
        self._open = True
        for job in self._store.jobs.list():
            if job.state is State.CANCELLING:
                self._end(job, State.CANCELLED)
        self._admit()

    async def close(self) -> None:
        """Stop all workers; their jobs stay unfinished and are resumed at the next start."""
        self._open = False
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def create(self, job: Job) -> Job:
        """Queue a new job; ALREADY_EXISTS when its name is taken."""
        self._store.jobs.insert(job.name, job)
        self._admit()
        return self.get(job.name)

    def get(self, name: str) -> Job:
        job = self._store.jobs.get(name)
        if job is None:
            raise GoogleError("NOT_FOUND", f"{name} does not exist")
        return job

    def list(self, prefix: str) -> list[Job]:
        return self._store.jobs.list(prefix)

    def cancel(self, name: str) -> None:
        """Begin to cancel; FAILED_PRECONDITION when the job ended in another way."""
        job = self.get(name)
        if job.state in (State.CANCELLING, State.CANCELLED):
            return
        if job.state in TERMINAL:
            raise GoogleError("FAILED_PRECONDITION", f"{name} cannot be cancelled: it has ended as {job.state.value}")
        job = self._change(job, state=State.CANCELLING)
        if (task := self._tasks.get(name)) is not None:
            task.cancel()
        else:
            self._end(job, State.CANCELLED)

    def delete(self, name: str) -> None:
        """Forget an ended job; its model stays, and so does the folder that the model's weights lie in."""
        job = self.get(name)
        if job.state not in TERMINAL:
            raise GoogleError("FAILED_PRECONDITION", f"{name} is {job.state.value}; cancel it before deleting it")
        self._store.jobs.delete(name)
        if job.model is None:
            shutil.rmtree(self.folder(job), ignore_errors=True)

    def folder(self, job: Job) -> Path:
        return self._data / "jobs" / job.uid

    def _admit(self) -> None:
        if not self._open:
            return
        waiting = [j for j in self._store.jobs.list() if j.state not in TERMINAL and j.name not in self._tasks]
        # What had a slot before a restart gets it back first.
        waiting.sort(key=lambda job: job.state is State.QUEUED)
        for job in waiting[: max(0, self._concurrent_jobs - len(self._tasks))]:
            if job.state is State.QUEUED:
                self._change(job, state=State.PENDING)
            task = asyncio.create_task(self._run(job.name), name=job.name)
            self._tasks[job.name] = task
            task.add_done_callback(functools.partial(self._ended, job.name))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        del self._tasks[name]
        job = self.get(name)
        if job.state is State.CANCELLING:
            self._end(job, State.CANCELLED)
        self._admit()

    async def _run(self, name: str) -> None:
        try:
            await self._prepare(name)
            trained = await self._train(name)
            await self._finish(name, trained)
        except GoogleError as error:
            self._fail(name, error)
        except Exception as error:  # a job must end in a state, whatever went wrong, or nobody learns of it
            LOG.exception("job failed unexpectedly", extra={"fields": {"job": name}})
            self._fail(name, GoogleError("INTERNAL", f"{type(error).__name__}: {error}"))

    async def _prepare(self, name: str) -> None:
        job = self.get(name)
        if job.start_time is None:
            job = self._change(job, state=State.RUNNING, phase=Phase.PROCESSING_DATASET, start_time=self._clock.now())
        if job.steps is not None:
            return
        folder = self.folder(job)
        folder.mkdir(parents=True, exist_ok=True)
        if split_uri(job.plan.metrics_folder)[0] == self._metrics_bucket:
            await self._storage.create_bucket(self._metrics_bucket, job.plan.project)
        else:
            await self._storage.require_bucket(job.plan.metrics_folder)
        datasets = await fetch_datasets(self._storage, job.plan, folder)
        steps = self._tuner.write_spec(job.plan, datasets, folder)
        self._change(self.get(name), train_rows=datasets.train_rows, steps=steps)

    async def _train(self, name: str) -> Trained:
        job = self._change(self.get(name), phase=Phase.TUNING)
        while isinstance(outcome := await self._tuner.run(self.folder(job)), WorkerDied):
            if job.worker_deaths >= MAX_WORKER_DEATHS:
                raise GoogleError(
                    "INTERNAL", f"{outcome}; given up after {MAX_WORKER_DEATHS} restarts (look at the job's worker.log)"
                )
            LOG.warning("%s; starting it again", outcome, extra={"fields": {"job": name}})
            job = self._change(self.get(name), worker_deaths=job.worker_deaths + 1)
        return outcome

    async def _finish(self, name: str, trained: Trained) -> None:
        job = self._change(self.get(name), phase=Phase.POST_PROCESSING, trained=trained)
        metrics = "".join(f"{msgspec.json.encode(row).decode()}\n" for row in metric_rows(self.folder(job)))
        await self._storage.upload(metrics_uri(job), metrics.encode(), "application/jsonl")
        with self._store.transaction():
            version = self._register(job, trained)
            endpoint = self._endpoints.create_for(version, job.uid, job.plan.labels)
            ended = self._end(job, State.SUCCEEDED, model=version.name, endpoint=endpoint.name)
        LOG.info("job succeeded", extra={"fields": {"job": name, "model": ended.model, "seconds": trained.seconds}})
        self._on_success()

    def _register(self, job: Job, trained: Trained) -> ModelVersion:
        adapter = (self.folder(job) / trained.adapter).relative_to(self._data)
        return self._models.add_tuned(job, str(adapter), trained.base_model.name)

    def _fail(self, name: str, error: GoogleError) -> None:
        job = self.get(name)
        if job.state is State.CANCELLING:
            return
        LOG.warning("job failed: %s", error.message, extra={"fields": {"job": name, "status": error.status}})
        self._end(job, State.FAILED, error=JobError(error.rpc_code, error.message))

    def _end(self, job: Job, state: State, **changes: Any) -> Job:
        if state is State.CANCELLED:
            changes["error"] = JobError(GoogleError("CANCELLED", "").rpc_code, "cancelled by request")
        return self._change(job, state=state, phase=None, end_time=self._clock.now(), **changes)

    def _change(self, job: Job, **changes: Any) -> Job:
        changed = msgspec.structs.replace(job, **changes, update_time=self._clock.now())
        self._store.jobs.put(job.name, changed)
        return changed


def metrics_uri(job: Job) -> str:
    """Where a finished job's metrics are, one JSON line per training step."""
    return f"{job.plan.metrics_folder}/{METRICS_FILE}"
