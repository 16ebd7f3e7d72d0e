"""One tuning worker process: what it is told, and what became of it."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from ..clock import Clock
from ..http import RPC_CODES, GoogleError
from ..process import write_atomically
from .datasets import Datasets
from .processes import log_tail, own, spawn, stop
from .records import Trained, TuningPlan

# What multiplier 1.0 means: the rate at which the local base model learns best with adapters.
RECOMMENDED_LEARNING_RATE = 2e-3
MAX_TOKENS = 2048
SEED = 0
TuningMode = Literal["lora", "full"]


@dataclass(frozen=True)
class Tuner:
    """How workers are started: `command` gets the job's folder as its last argument."""

    command: Sequence[str]
    base_model: str | None
    tuning_mode: TuningMode
    clock: Clock

    def write_spec(self, plan: TuningPlan, datasets: Datasets, folder: Path) -> int:
        """Write spec.json and return the number of training steps."""
        if plan.steps is not None:
            steps = plan.steps
        else:
            steps = math.ceil(datasets.train_rows * (plan.epochs or 1) / plan.batch_size)
        spec = {
            "method": "supervised",
            "base_model": self.base_model,
            "train_path": str(datasets.train_path.resolve()),
            "eval_path": None if datasets.eval_path is None else str(datasets.eval_path.resolve()),
            "tuning_mode": self.tuning_mode,
            "steps": steps,
            "batch_size": plan.batch_size,
            "learning_rate": RECOMMENDED_LEARNING_RATE * plan.learning_rate_multiplier,
            "adapter_size": plan.adapter_size,
            "seed": SEED,
            "max_tokens": MAX_TOKENS,
            "threads": None,
            "eval_interval": plan.eval_interval,
            "early_stopping": plan.early_stopping,
        }
        write_atomically(folder / "spec.json", json.dumps(spec, indent=2))
        return steps

    async def run(self, folder: Path) -> Trained | WorkerDied:
        """Run a worker to its end. GoogleError with the worker's own reason when it gave one.

        Cancelling this stops the worker. The folder's lock is passed on to it, so that a worker left behind by a
        killed server, which takes a moment to notice, and its successor never write to one folder together.
        """
        if (trained := read_result(folder)) is not None:
            return trained
        log_path = folder / "worker.log"
        lock = await own(folder, self.clock)
        try:
            process = await spawn([*self.command, str(folder)], log_path, pass_fds=[lock])
        finally:
            os.close(lock)
        try:
            returncode = await process.wait()
        finally:
            await stop(process)
        if (trained := read_result(folder)) is not None:
            return trained
        if returncode < 0:
            return WorkerDied(-returncode)
        raise _reported_error(folder, returncode, log_tail(log_path))


@dataclass(frozen=True)
class WorkerDied:
    """A signal ended the worker."""

    signal_number: int

    def __str__(self) -> str:
        name = signal.Signals(self.signal_number).name
        hint = "; the system may have run out of memory" if self.signal_number == signal.SIGKILL else ""
        return f"the tuning worker was ended by {name}{hint}"


def read_result(folder: Path) -> Trained | None:
    """The result.json of a finished job; None while there is none."""
    path = folder / "result.json"
    return msgspec.json.decode(path.read_bytes(), type=Trained) if path.exists() else None


def _reported_error(folder: Path, returncode: int, log: str) -> GoogleError:
    path = folder / "error.json"
    if not path.exists():
        return GoogleError("INTERNAL", f"the tuning worker ended with exit code {returncode} and no reason: {log}")
    reported = json.loads(path.read_text(encoding="utf-8"))
    status = reported["status"] if reported["status"] in RPC_CODES else "UNKNOWN"
    return GoogleError(status, reported["message"])
