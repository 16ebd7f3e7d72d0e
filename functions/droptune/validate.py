"""The first hop: a dropped object in, `DatasetReady` or `DatasetRejected` out, and its report in the run's ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from . import log, request, runs
from .datasets import join, report, split
from .datasets.check import Checked, Source, check
from .datasets.findings import Findings
from .datasets.page import page
from .datasets.report import Report
from .errors import NotOurs, ObjectGone, Refused
from .events import DatasetReady, DatasetRejected, Role, StoredFile
from .methods import Choice
from .ports import BaseModels, Objects, StoredObject
from .request import Request
from .settings import Settings

MAX_JOB_BYTES = 64 * 1024
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
    """The files of one run and what is asked for."""

    name: str
    files: Mapping[Role, StoredObject]
    request: Request

    @property
    def run_id(self) -> str:
        return runs.run_id(self.name, self.files.values(), self.request)


@dataclass(frozen=True)
class _Rejection:
    """A data set that is refused before its files are read; `about` are the objects that identify the run."""

    name: str
    about: tuple[StoredObject, ...]
    code: str
    found: str
    request: Request = NO_WISHES


def validate(dropped: StoredObject, ports: Ports) -> DatasetReady | DatasetRejected | None:
    """The fact about the data set that `dropped` belongs to; None while there is nothing to say about it.

    That is so when files are missing, and when a newer event speaks for the folder. The same event gives the same
    fact and the same bytes in the ledger. NotOurs for objects that are no data; Retryable when storage is busy.
    """
    if dropped.bucket != ports.settings.intake_bucket:
        raise NotOurs(f"bucket {dropped.bucket} is not the intake bucket")
    name = runs.dataset_name(dropped.name)
    try:
        in_folder = join.is_folder_member(dropped.name)
    except join.BadName as error:
        return _reject(_Rejection(name, (dropped,), error.code, dropped.name), ports)
    gathered = _folder(dropped, name, ports) if in_folder else _single(dropped, name, ports)
    if isinstance(gathered, _Rejection):
        return _reject(gathered, ports)
    return None if gathered is None else _judge(gathered, ports)


def _single(dropped: StoredObject, name: str, ports: Ports) -> _DataSet | _Rejection:
    try:
        wishes = request.from_metadata(dropped.metadata)
    except Refused as error:
        return _Rejection(name, (dropped,), "REQUEST-INVALID", str(error))
    current = ports.objects.stat(dropped.bucket, dropped.name)
    if current is None or current.generation != dropped.generation:
        return _Rejection(name, (dropped,), "OBJECT-REPLACED", dropped.name, wishes)
    # Storage knows the size for certain; an event may leave it out.
    return _DataSet(name, {"train": current}, wishes)


def _folder(dropped: StoredObject, name: str, ports: Ports) -> _DataSet | _Rejection | None:
    listed = ports.objects.list(dropped.bucket, f"{name}/")
    if not any(o.name == dropped.name and o.generation == dropped.generation for o in listed):
        log.info(f"{dropped.name}: replaced or deleted; the newer event speaks for the folder")
        return None
    pieces = join.folder(name, listed)
    present = tuple(pieces.files.values()) or tuple(filter(None, [pieces.job]))
    try:
        wishes = _request_of(pieces, ports.objects)
        needed = pieces.needs(wishes)
    except Refused as error:
        # With job.yaml among the objects, another wrong one, or a right one, is another run.
        about = tuple(filter(None, [*pieces.files.values(), pieces.job]))
        return _Rejection(name, about, "REQUEST-INVALID", str(error))
    except ObjectGone:
        log.info(f"{name}/{join.JOB}: replaced or deleted; the newer event speaks for the folder")
        return None
    missing = [f"{role}.jsonl" for role in needed if role not in pieces.files]
    if missing:
        run = runs.run_id(name, present, wishes)
        waiting = report.without_files(dataset=name, run_id=run, status="waiting", findings=Findings(), missing=missing)
        _write(waiting, run, ports)
        log.info(f"waiting for {', '.join(missing)}", run_id=run)
        return None
    return _DataSet(name, {role: pieces.files[role] for role in needed}, wishes)


def _request_of(pieces: join.Folder, objects: Objects) -> Request:
    """What ``job.yaml`` asks for, or without one the metadata of the training file."""
    if pieces.job is None:
        train = pieces.files.get("train")
        return request.from_metadata(train.metadata) if train else Request()
    if pieces.job.size_bytes > MAX_JOB_BYTES:
        raise Refused(f"job.yaml has {pieces.job.size_bytes:,} bytes; at most {MAX_JOB_BYTES:,} are read")
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
        files, characters = None, checked.scans["train"].content.characters
        if not checked.findings.blocking and "eval" not in data.files:
            files, characters = _hold_out(data.files["train"], checked, run, ports)
    except ObjectGone as error:
        log.info(f"replaced while it was read: {error}", run_id=run)
        about = tuple(data.files.values())
        return _reject(_Rejection(data.name, about, "OBJECT-REPLACED", "A file", data.request), ports)
    if checked.findings.blocking or checked.choice is None:
        return _rejected(report.build(dataset=data.name, run_id=run, status="rejected", checked=checked), run, ports)
    return _ready(data, checked, checked.choice, files or _as_dropped(data, checked), characters, ports)


def _ready(
    data: _DataSet,
    checked: Checked,
    choice: Choice,
    files: dict[Role, StoredFile],
    characters: int,
    ports: Ports,
) -> DatasetReady:
    run = data.run_id
    ready = report.build(dataset=data.name, run_id=run, status="ready", checked=checked)
    assert ready.format is not None  # there is no choice of a method without a format
    _write(ready, run, ports)
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
    return {role: _stored(stored, checked.scans[role].rows) for role, stored in data.files.items()}


def _hold_out(
    train: StoredObject, checked: Checked, run: str, ports: Ports
) -> tuple[dict[Role, StoredFile] | None, int]:
    """Both sides of the training file as objects of the run, and the characters left to train on.

    None, with a finding, when its prompts admit no split.
    """
    fmt = checked.scans["train"].format
    assert fmt is not None  # a file without findings has a format
    try:
        with ports.objects.stream(train) as stream:
            held_out = split.held_out_prompts(split.prompt_counts(stream, fmt))
    except split.CannotSplit as error:
        checked.findings.add("SPLIT-IMPOSSIBLE", file=train.name, found=str(error))
        return None, 0
    with ports.objects.stream(train) as stream:
        kept, held = split.split(stream, fmt, held_out)
    checked.findings.add("SPLIT-MADE", file=train.name, found=f"{held.rows:,} of {kept.rows + held.rows:,} rows")
    files: dict[Role, StoredFile] = {
        "train": _write_part("train", kept, run, ports),
        "eval": _write_part("eval", held, run, ports),
    }
    return files, kept.characters


def _write_part(role: Role, part: split.Part, run: str, ports: Ports) -> StoredFile:
    """The part as an object of the run. Where it is there already, from an earlier event, it is the same part."""
    bucket, name = ports.settings.runs_bucket, f"{run}/data/{role}.jsonl"
    ports.objects.create(bucket, name, bytes(part.data), runs.CONTENT_TYPES["jsonl"])
    stored = ports.objects.stat(bucket, name)
    if stored is None:
        raise ObjectGone(f"gs://{bucket}/{name} was deleted as soon as it was written")
    return _stored(stored, part.rows)


def _stored(stored: StoredObject, rows: int) -> StoredFile:
    return StoredFile(
        bucket=stored.bucket,
        name=stored.name,
        generation=stored.generation,
        rows=rows,
        size_bytes=stored.size_bytes,
    )


def _reject(rejection: _Rejection, ports: Ports) -> DatasetRejected | None:
    """The refusal of a data set whose files were not read."""
    findings = Findings()
    file = rejection.about[0].name if len(rejection.about) == 1 else None
    findings.add(rejection.code, file=file, found=rejection.found)
    run = runs.run_id(rejection.name, rejection.about, rejection.request)
    refusal = report.without_files(dataset=rejection.name, run_id=run, status="rejected", findings=findings)
    return _rejected(refusal, run, ports)


def _rejected(refusal: Report, run: str, ports: Ports) -> DatasetRejected | None:
    """The fact of a rejection; None when the run was found ready before, by an earlier delivery of the same event."""
    if not _write(refusal, run, ports) and _status(run, ports) == "ready":
        log.info("a late repetition of an event that was judged before", run_id=run)
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
    return ports.ledger.write(run, "report.json", report.encode(written))


def _status(run: str, ports: Ports) -> str | None:
    data = ports.ledger.read(run, "report.json")
    return None if data is None else msgspec.json.decode(data, type=Report).status
