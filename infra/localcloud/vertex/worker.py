"""``python -m localcloud.vertex.worker JOB_DIR``: the process of one tuning job.

Reads ``spec.json``, appends to ``progress.jsonl``, and ends with ``result.json`` or ``error.json`` (exit code 1). It
may be killed at any time: started again on the same folder it continues from its checkpoint.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
import time
from pathlib import Path

from .. import log
from ..process import die_with_parent, write_atomically
from .base_model import BaseModel, BaseModelError, ensure_base_model
from .training import TRAINERS, JobError, Reporter, TuningJob
from .training.job import Spec
from .training.progress import Progress, ProgressFile

LOG = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> int:
    """Run the job. Exit codes: 0 done (now or before), 1 failed with ``error.json``, 2 usage."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.vertex.worker", description=__doc__)
    parser.add_argument("job_dir", type=Path, help="folder with spec.json")
    folder: Path = parser.parse_args(argv).job_dir
    log.configure("vertex-worker")
    die_with_parent()
    if (folder / "result.json").exists():
        return 0
    (folder / "error.json").unlink(missing_ok=True)
    try:
        result = _run(folder)
    except JobError as error:
        LOG.error("job failed: %s", error.message, extra={"fields": {"job": str(folder), "status": error.status}})
        write_atomically(folder / "error.json", json.dumps({"status": error.status, "message": error.message}))
        return 1
    write_atomically(folder / "result.json", json.dumps(result, indent=2))
    (folder / "checkpoint.pt").unlink(missing_ok=True)
    return 0


def _run(folder: Path) -> dict[str, object]:
    began = time.monotonic()
    spec = Spec.read(folder / "spec.json")
    report = ProgressFile(folder / "progress.jsonl")
    if spec.method not in TRAINERS:
        allowed = ", ".join(sorted(TRAINERS))
        raise JobError("INVALID_ARGUMENT", f"method {spec.method!r} cannot be tuned locally; allowed: {allowed}")
    base = _base_model(spec, report)
    # The base model is on this machine now: no library shall ask the hub for anything on its own.
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        result = TRAINERS[spec.method](TuningJob(spec, folder, base.folder), report)
    except JobError:
        raise
    except Exception as error:  # the process ends here: whatever it was must reach the job's owner as its error
        if _is_out_of_memory(error):
            advice = "lower batch_size or max_tokens, or choose a smaller base model"
            raise JobError("RESOURCE_EXHAUSTED", f"not enough memory: {advice} ({error})") from error
        LOG.exception("job failed")
        raise JobError("INTERNAL", f"{type(error).__name__}: {error}") from error
    return {
        **dataclasses.asdict(result),
        "seconds": round(time.monotonic() - began, 3),
        "base_model": {"name": base.name, **base.provenance},
        "seed": spec.seed,
        "hyperparameters": spec.hyperparameters(),
    }


def _base_model(spec: Spec, report: Reporter) -> BaseModel:
    if spec.base_model is not None:
        try:
            return BaseModel.at(Path(spec.base_model))
        except BaseModelError as error:
            raise JobError("INVALID_ARGUMENT", f"base_model: {error}") from error
    try:
        return ensure_base_model(lambda seen, total: report(Progress("fetching_base_model", seen, total)))
    except BaseModelError as error:
        raise JobError("INTERNAL", str(error)) from error


def _is_out_of_memory(error: Exception) -> bool:
    # torch has an exception for GPUs only; on CPUs it raises RuntimeError naming its allocator.
    return isinstance(error, MemoryError) or "out of memory" in str(error) or "DefaultCPUAllocator" in str(error)


if __name__ == "__main__":
    sys.exit(main())
