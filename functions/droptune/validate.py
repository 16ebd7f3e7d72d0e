"""The first hop: a dropped object in, `DatasetReady` or `DatasetRejected` out, and its report in the run's ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from . import log, request, runs
from .datasets import describe, join
from .datasets.check import Checked, Source, check
from .datasets.findings import Findings
from .datasets.page import page
from .datasets.purpose import started
from .datasets.report import Report, Status, encode
from .datasets.rowformat import Values
from .datasets.split import CannotSplit
from .errors import NotOurs, ObjectGone
from .events import DatasetReady, DatasetRejected, Role, StoredFile
from .hold_out import hold_out, stored_file
from .methods import Choice
from .ports import BaseModels, Objects, StoredObject
from .request import InvalidRequest, Request
from .settings import Settings

NO_WISHES = Request()
FINDINGS_IN_FACT = 20  # the fact travels in messages; the report has them all


@dataclass(frozen=True)
class Ports:
    """What validating needs of the world."""

    objects: Objects
    base_models: BaseModels
    settings: Settings

    @property
    def ledger(self) -> runs.Ledger:
        return runs.Ledger(self.objects, self.settings.runs_bucket)


@dataclass(frozen=True)
class _DataSet:
    """The files of one run and what is asked for; `unused` are the names of files that lie beside them."""

    name: str
    files: Mapping[Role, StoredObject]
    request: Request
    unused: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        return runs.run_id(self.name, self.files.values(), self.request)


@dataclass(frozen=True)
class _Unread:
    """A data set of which no file is read, and why; `about` are the objects that identify the run."""

    name: str
    about: tuple[StoredObject, ...]
    request: Request
    status: Status
    code: str
    values: Values
    file: str | None = None
    line: int | None = None
    missing: tuple[str, ...] = ()


def validate(dropped: StoredObject, ports: Ports) -> DatasetReady | DatasetRejected | None:
    """The fact about the data set that `dropped` belongs to; None while there is nothing to say about it.

    That is so when files are missing, and when an object is no longer there as it was dropped: a newer one has an
    event of its own. The same event gives the same fact and the same bytes in the ledger. NotOurs for objects that are
    no data; Retryable when storage is busy.
    """
    if dropped.bucket != ports.settings.intake_bucket:
        raise NotOurs(f"bucket {dropped.bucket} is not the intake bucket")
    name = runs.dataset_name(dropped.name)
    try:
        in_folder = join.is_folder_member(dropped.name)
    except join.BadName as error:
        return _without_reading(
            _Unread(name, (dropped,), NO_WISHES, "rejected", error.code, error.values, file=dropped.name), ports
        )
    gathered = _folder(dropped, name, ports) if in_folder else _single(dropped, name, ports)
    if isinstance(gathered, _Unread):
        return _without_reading(gathered, ports)
    return None if gathered is None else _judge(gathered, ports)


def _single(dropped: StoredObject, name: str, ports: Ports) -> _DataSet | _Unread:
    try:
        wishes = request.from_metadata(dropped.metadata)
    except InvalidRequest as error:
        return _refused(name, (dropped,), error, dropped.name)
    current = ports.objects.stat(dropped.bucket, dropped.name)
    if current is None or current.generation != dropped.generation:
        return _superseded(name, (dropped,), wishes)
    # Storage knows the size for certain; an event may leave it out.
    return _DataSet(name, {"train": current}, wishes)


def _folder(dropped: StoredObject, name: str, ports: Ports) -> _DataSet | _Unread | None:
    listed = ports.objects.list(dropped.bucket, f"{name}/")
    if not any(o.name == dropped.name and o.generation == dropped.generation for o in listed):
        log.info(f"{dropped.name}: replaced or deleted; the newer event speaks for the folder")
        return None
    pieces = join.folder(name, listed)
    # With job.yaml among the objects, another wrong one, or a right one, is another run.
    everything = tuple(filter(None, [*pieces.files.values(), pieces.job]))
    asking = pieces.job or pieces.files.get("train")
    try:
        wishes = _request_of(pieces, ports.objects)
        needed = pieces.needs(wishes)
    except InvalidRequest as error:
        return _refused(name, everything, error, asking.name if asking and error.code != "SET-MIXED" else None)
    except ObjectGone:
        log.info(f"{name}/{join.JOB}: replaced or deleted; the newer event speaks for the folder")
        return None
    missing = tuple(join.names(role for role in needed if role not in pieces.files))
    if missing:
        present = tuple(pieces.files.values()) or everything
        values = {"found": ", ".join(missing)}
        return _Unread(name, present, wishes, "waiting", "SET-MISSING", values, missing=missing)
    return _DataSet(name, {role: pieces.files[role] for role in needed}, wishes, pieces.unused(needed))


def _request_of(pieces: join.Folder, objects: Objects) -> Request:
    """What ``job.yaml`` asks for, or without one the metadata of the training file."""
    if pieces.job is None:
        train = pieces.files.get("train")
        return request.from_metadata(train.metadata) if train else NO_WISHES
    if pieces.job.size_bytes > request.MAX_JOB_BYTES:
        raise InvalidRequest("REQUEST-TOO-LARGE", {"found": pieces.job.size_bytes, "most": request.MAX_JOB_BYTES})
    with objects.stream(pieces.job) as stream:
        return request.from_yaml(stream.read())


def _judge(data: _DataSet, ports: Ports) -> DatasetReady | DatasetRejected | None:
    run = data.run_id
    sources = {
        role: Source(stored.name, stored.size_bytes, partial(ports.objects.stream, stored), stored.generation)
        for role, stored in data.files.items()
    }
    try:
        checked = check(sources, data.request, ports.base_models.serves)
        findings = checked.findings
        if data.unused:
            findings.add("SET-UNUSED", {"found": ", ".join(data.unused), "used": ", ".join(join.names(data.files))})
        files = _as_dropped(data, checked)
        characters = sum(result.characters for role, result in checked.scans.items() if role != "eval")
        if checked.choice is None:
            for problem in started(checked.purpose, must_start=True):
                findings.add(problem.code, problem.values)
        elif not findings.blocking and data.files.keys() == {"train"}:
            files, characters = _hold_out(data.files["train"], checked, run, ports)
    except ObjectGone as error:
        log.info(f"replaced or deleted while it was read: {error}", run_id=run)
        return _without_reading(_superseded(data.name, tuple(data.files.values()), data.request), ports)
    if findings.blocking or checked.choice is None:
        return _rejected(describe.build(dataset=data.name, run_id=run, status="rejected", checked=checked), run, ports)
    return _ready(data, checked, checked.choice, files, characters, ports)


def _ready(
    data: _DataSet,
    checked: Checked,
    choice: Choice,
    files: dict[Role, StoredFile],
    characters: int,
    ports: Ports,
) -> DatasetReady | None:
    run = data.run_id
    ready = describe.build(dataset=data.name, run_id=run, status="ready", checked=checked)
    assert ready.format is not None  # there is no choice of a method without a format
    if not _write(ready, run, ports) and (before := _status(run, ports)) != "ready":
        log.info(f"a late repetition of an event that was judged before: {before}", run_id=run)
        return None
    log.info(f"ready for {choice.method.name} on {choice.base_model.name}", run_id=run, warnings=ready.counts.warnings)
    return DatasetReady(
        run_id=run,
        dataset=data.name,
        files=files,
        format=ready.format,
        method=choice.method.name,
        base_model=choice.base_model.name,
        request=data.request,
        train_characters=characters,
        warnings=ready.counts.warnings,
        report_uri=ports.ledger.uri(run, "report.json"),
    )


def _as_dropped(data: _DataSet, checked: Checked) -> dict[Role, StoredFile]:
    found: dict[Role, StoredFile] = {}
    for role, stored in data.files.items():
        scan = checked.scans[role]
        found[role] = stored_file(stored, scan.rows, None if scan.known == checked.purpose.format else scan.known)
    return found


def _hold_out(train: StoredObject, checked: Checked, run: str, ports: Ports) -> tuple[dict[Role, StoredFile], int]:
    """Both sides of the training file, and the characters left to train on; neither where no split is possible."""
    fmt = checked.scans["train"].format
    assert fmt is not None  # there is no choice of a method without a format
    try:
        parts = hold_out(train, fmt, run, ports.ledger)
    except CannotSplit as error:
        values = {"found": error.prompts, "prompts": error.prompts, "rows": error.rows}
        checked.findings.add("SPLIT-IMPOSSIBLE", values, file=train.name)
        return {}, 0
    held, trained = parts.held_out.rows, parts.held_out.trained_rows
    checked.findings.add("SPLIT-MADE", {"found": held, "held": held, "rows": held + trained}, file=train.name)
    return parts.files, parts.held_out.trained_characters


def _refused(name: str, about: tuple[StoredObject, ...], error: InvalidRequest, file: str | None) -> _Unread:
    return _Unread(name, about, NO_WISHES, "rejected", error.code, error.values, file, error.line)


def _superseded(name: str, about: tuple[StoredObject, ...], wishes: Request) -> _Unread:
    values = {"found": ", ".join(stored.name for stored in about)}
    return _Unread(name, about, wishes, "superseded", "OBJECT-REPLACED", values)


def _without_reading(unread: _Unread, ports: Ports) -> DatasetRejected | None:
    """The report on what was not read; only a rejection is a fact, of the others something newer will tell."""
    findings = Findings()
    findings.add(unread.code, unread.values, file=unread.file, line=unread.line)
    run = runs.run_id(unread.name, unread.about, unread.request)
    told = describe.without_files(
        dataset=unread.name, run_id=run, status=unread.status, findings=findings, missing=unread.missing
    )
    if unread.status == "rejected":
        return _rejected(told, run, ports)
    if _write(told, run, ports):
        log.info(f"{unread.status}: {unread.values['found']}", run_id=run)
    else:
        log.info(f"{unread.status} after it was judged before", run_id=run)
    return None


def _rejected(refusal: Report, run: str, ports: Ports) -> DatasetRejected | None:
    """The fact of a rejection; None when the run was found ready before, by an earlier delivery of the same event."""
    if not _write(refusal, run, ports) and (before := _status(run, ports)) != "rejected":
        log.info(f"a late repetition of an event that was judged before: {before}", run_id=run)
        return None
    log.info("rejected", run_id=run, errors=refusal.counts.errors, codes=list(refusal.counts.by_code))
    return DatasetRejected(
        run_id=run,
        dataset=refusal.dataset,
        errors=refusal.counts.errors,
        warnings=refusal.counts.warnings,
        findings=refusal.findings[:FINDINGS_IN_FACT],
        report_uri=ports.ledger.uri(run, "report.json"),
    )


def _write(written: Report, run: str, ports: Ports) -> bool:
    """Put the report into the ledger, unless it is there; whether this was the first time."""
    ports.ledger.write(run, "report.html", page(written))
    return ports.ledger.write(run, "report.json", encode(written))


def _status(run: str, ports: Ports) -> str | None:
    data = ports.ledger.read(run, "report.json")
    return None if data is None else msgspec.json.decode(data, type=Report).status
