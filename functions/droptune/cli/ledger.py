"""What the command line reads from a run's ledger objects. Unknown fields are left: a newer writer may add some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec

from ..datasets.report import Counts
from ..events import Failure, Finding, Interval
from ..methods.base import Forecast
from .group import CliError

T = TypeVar("T")


class LedgerError(CliError):
    """A ledger object is not what it should be; the message names object and place."""


@dataclass(frozen=True)
class Entry:
    """One object of a run's folder: its name below the folder, when it was written, and its bytes.

    Only JSON objects at the folder's top are read; of everything else the bytes are empty.
    """

    name: str
    created: float
    data: bytes = b""


class DataFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the data set as the report lists it; `name` is an object of the intake bucket."""

    role: str
    name: str
    generation: int
    rows: int
    bytes: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``report.json``: what validation decided."""

    run_id: str
    dataset: str
    status: Literal["ready", "rejected", "waiting", "superseded"]
    format: str | None = None
    method: str | None = None
    base_model: str | None = None
    files: tuple[DataFile, ...] = ()
    counts: Counts = Counts()
    findings: tuple[Finding, ...] = ()
    missing: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """``plan.json``: the requests of a stage, and their forecast."""

    stage: int = 1
    forecast: Forecast | None = None


class SubmittedJob(msgspec.Struct, frozen=True, kw_only=True):
    """``job-<n>.json``: a job that was created."""

    name: str
    api: str
    url: str


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """``failed.json``: the tuning-failed fact, as far as it is shown."""

    failure: Failure


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """``tuned.json``: the tuning-succeeded fact, as far as it is shown."""

    model: str
    endpoint: str | None = None


class Contestant(msgspec.Struct, frozen=True, kw_only=True):
    """One way of answering the held-out rows, and how well it did; `refused` says why it could not be tried."""

    name: str
    detail: str = ""
    metrics: dict[str, Interval] = {}
    seconds: float | None = None
    refused: str | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The tuned model against the best baseline."""

    baseline: str
    p_value: float | None = None
    difference: float | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """``evaluation.json``: everybody on the same rows, and the verdict."""

    metric: str
    contestants: tuple[Contestant, ...]
    verdict: Literal["approved", "rejected"]
    reason: str
    rows: int = 0
    task: str | None = None
    comparison: Comparison | None = None
    model: str | None = None
    model_labels: dict[str, str] = {}
    endpoint: str | None = None


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """``registered.json``: the aliases that the model got, and whom it replaced."""

    aliases: tuple[str, ...]
    replaced: str | None = None


def read(entries: Mapping[str, Entry], name: str, type_: type[T]) -> T | None:
    """The object `name` as `type_`, or None when it is not there yet. LedgerError when it cannot be understood."""
    entry = entries.get(name)
    if entry is None:
        return None
    try:
        return msgspec.json.decode(entry.data, type=type_)
    except msgspec.DecodeError as error:
        raise LedgerError(f"{name} was not written by this version of Droptune: {error}") from error


def to_json(value: Any) -> str:
    """Indented JSON of any of these, for ``--json``."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
