"""Data sets of a job: fetched once, counted, and held against the limits of the model family."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from .catalogue import MODELS, Family
from .fields import invalid
from .gcs import Storage
from .records import TuningPlan

TRAIN_FILE = "train.jsonl"
EVAL_FILE = "eval.jsonl"


@dataclass(frozen=True)
class Datasets:
    """A job's local files; `eval_path` is None without evaluation data."""

    train_path: Path
    train_rows: int
    eval_path: Path | None


async def fetch_datasets(storage: Storage, plan: TuningPlan, folder: Path) -> Datasets:
    """The plan's data sets in `folder`. NOT_FOUND, or INVALID_ARGUMENT when a file has too few or too many rows."""
    family = MODELS[plan.base_model].family
    train_path = folder / TRAIN_FILE
    await storage.download(plan.train_uri, train_path)
    train_rows = await asyncio.to_thread(count_rows, train_path)
    _check_rows(plan.train_uri, "training", train_rows, family.train_rows, family)
    if plan.eval_uri is None:
        return Datasets(train_path, train_rows, None)
    eval_path = folder / EVAL_FILE
    await storage.download(plan.eval_uri, eval_path)
    eval_rows = await asyncio.to_thread(count_rows, eval_path)
    _check_rows(plan.eval_uri, "evaluation", eval_rows, family.eval_rows, family)
    if family.share_from_rows is not None and eval_rows > max(family.share_from_rows, family.share * train_rows):
        raise invalid(
            f"{plan.eval_uri} has {eval_rows} evaluation rows for {train_rows} training rows; above "
            f"{family.share_from_rows} rows at most {family.share:.0%} of the training rows are allowed"
        )
    return Datasets(train_path, train_rows, eval_path)


def count_rows(path: Path) -> int:
    """Lines that hold anything."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _check_rows(uri: str, use: str, found: int, allowed: tuple[int, int], family: Family) -> None:
    least, most = allowed
    if not least <= found <= most:
        raise invalid(f"{uri} has {found} {use} rows; {family.name} models take {least} to {most}")
