"""From a path to objects in the intake bucket: what is uploaded, in which order, and which run came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..datasets.join import FILES, JOB
from ..errors import Refused
from ..ports import StoredObject
from ..request import METADATA_PREFIX, Request, from_metadata, from_yaml
from ..runs import run_id
from .group import CliError, InputError
from .ledger import Report
from .reader import RunsReader

TRAIN = "train.jsonl"
# A folder's run starts with the arrival of its last missing file. So wishes come first, then held-out rows, and what
# is trained on last.
ORDER = (JOB, "eval.jsonl", "labels.tsv", "queries.jsonl", "corpus.jsonl", "prompts.jsonl", "preferences.jsonl", TRAIN)
POLL_SECONDS = 0.2
SETTLE_SECONDS = 5.0  # how long the report of these very files is waited for before another new one is taken
GIVE_UP_SECONDS = 90.0


@dataclass(frozen=True)
class Upload:
    """A file and the object that it becomes."""

    path: Path
    object_name: str


@dataclass(frozen=True)
class Drop:
    """What is to be uploaded, in this order; `metadata` goes with each object.

    `left_out` are files of a folder that play no part in a data set.
    """

    dataset: str
    uploads: tuple[Upload, ...]
    request: Request
    metadata: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    @property
    def taken_away_first(self) -> str | None:
        """The object to delete before a folder is uploaded, if it is there: the last file of an earlier drop.

        With them in place, the first new file of the folder would complete a data set of old and new files, and
        a run would start that nobody wants.
        """
        names = [upload.object_name for upload in self.uploads]
        decides = len(names) > 1 and not names[-1].endswith((f"/{JOB}", "/eval.jsonl"))
        return names[-1] if decides else None


@dataclass(frozen=True)
class Dropped:
    """What was uploaded: the objects with their generations."""

    drop: Drop
    objects: tuple[StoredObject, ...]

    @property
    def rows(self) -> tuple[StoredObject, ...]:
        """The objects that hold rows, which with the request identify the run."""
        return tuple(stored for stored in self.objects if not stored.name.endswith(f"/{JOB}"))

    @property
    def expected_run(self) -> str:
        """The run's id, where nothing but these objects lies in the folder and all of them are wanted."""
        return run_id(self.drop.dataset, self.rows or self.objects, self.drop.request)


class Intake(Protocol):
    """What uploading needs of the intake bucket."""

    @property
    def name(self) -> str: ...

    def upload(self, path: Path, name: str, metadata: Mapping[str, str]) -> int:
        """Upload a file as object `name`; the generation that it got."""
        ...

    def delete(self, name: str) -> None:
        """Delete an object, if it is there."""
        ...


def prepare(path: Path, name: str | None = None, wishes: Sequence[str] = ()) -> Drop:
    """What to upload for a file or folder. InputError says what to change, before anything is uploaded."""
    try:
        if path.is_dir():
            return _folder(path, name or path.resolve().name, wishes)
        if path.suffix != ".jsonl":
            raise InputError(f"{path} is not a .jsonl file. Drop a .jsonl file, or a folder with {TRAIN} in it.")
        dataset = name or path.stem
        metadata = _metadata(wishes)
        return Drop(dataset, (Upload(path, f"{dataset}.jsonl"),), from_metadata(metadata), metadata)
    except Refused as error:
        raise InputError(str(error)) from error


def perform(drop: Drop, intake: Intake, uploaded: Callable[[str], None]) -> Dropped:
    """Upload everything in order, telling each object's name."""
    if drop.taken_away_first is not None:
        intake.delete(drop.taken_away_first)
    objects = []
    for upload in drop.uploads:
        generation = intake.upload(upload.path, upload.object_name, drop.metadata)
        objects.append(StoredObject(intake.name, upload.object_name, generation, upload.path.stat().st_size))
        uploaded(upload.object_name)
    return Dropped(drop, tuple(objects))


def find_run(dropped: Dropped, before: frozenset[str], reader: RunsReader, sleep: Callable[[float], None]) -> str:
    """The run that came of a drop; `before` are the runs that there were. CliError when no report comes."""
    waited = 0.0
    while waited < GIVE_UP_SECONDS:
        ids = reader.run_ids()
        if dropped.expected_run in ids and reader.report(dropped.expected_run) is not None:
            return dropped.expected_run
        reports = {one: report for one in ids if one not in before and (report := reader.report(one)) is not None}
        ours = {one: report for one, report in reports.items() if report.dataset == dropped.drop.dataset}
        for one, report in ours.items():
            if _names(report, dropped.rows):
                return one
        if waited >= SETTLE_SECONDS and (only := _only(ours)) is not None:
            return only
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    raise CliError(
        f"{dropped.drop.dataset} was uploaded, but no report came within {GIVE_UP_SECONDS:.0f} seconds. "
        "Look with `droptune dead-letters` and `droptune doctor`."
    )


def _names(report: Report, rows: Iterable[StoredObject]) -> bool:
    """Whether a report is about these objects: it names some of them, and none at another generation."""
    generations = {stored.name: stored.generation for stored in rows}
    named = [file.generation == generations[file.name] for file in report.files if file.name in generations]
    return bool(named) and all(named)


def _only(reports: Mapping[str, Report]) -> str | None:
    """The run of the only new report that decides something, else of the only one: some name no files at all."""
    decided = [one for one, report in reports.items() if report.status not in ("waiting", "superseded")]
    candidates = decided or list(reports)
    return candidates[0] if len(candidates) == 1 else None


def _folder(path: Path, name: str, wishes: Sequence[str]) -> Drop:
    if wishes:
        raise InputError(f"--set is for single files; write what you want into {path / JOB}.")
    present = sorted(file.name for file in path.iterdir() if file.is_file())
    chosen = [file for file in ORDER if file in present]
    if not any(file in FILES for file in chosen):
        raise InputError(
            f"{path} holds no data. A data set folder holds some of {', '.join(FILES)}, and perhaps {JOB}."
        )
    wanted = from_yaml((path / JOB).read_bytes()) if JOB in chosen else Request()
    uploads = tuple(Upload(path / file, f"{name}/{file}") for file in chosen)
    return Drop(name, uploads, wanted, {}, tuple(file for file in present if file not in chosen))


def _metadata(wishes: Sequence[str]) -> dict[str, str]:
    metadata = {}
    for wish in wishes:
        key, equals, value = wish.partition("=")
        if not equals or not key:
            raise InputError(f"--set {wish!r} is not KEY=VALUE; for instance --set train_steps=50.")
        metadata[METADATA_PREFIX + key.replace("_", "-")] = value
    return metadata
