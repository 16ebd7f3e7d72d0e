"""A training file that came alone, as two objects of its run: rows to train on, and rows to evaluate with."""

from __future__ import annotations

from dataclasses import dataclass

from .datasets.join import NAMES
from .datasets.rowformat import RowFormat
from .datasets.split import HeldOut, Sides, held_out_of
from .errors import Retryable
from .events import Format, Role, StoredFile
from .ports import Objects, StoredObject
from .runs import CONTENT_TYPES, Ledger

CONTENT_TYPE = CONTENT_TYPES["jsonl"]


@dataclass(frozen=True)
class Parts:
    """Both sides as they are stored, and what they amount to."""

    files: dict[Role, StoredFile]
    held_out: HeldOut


def hold_out(train: StoredObject, fmt: RowFormat, run: str, ledger: Ledger) -> Parts:
    """Write both sides, unless they are there from an earlier event: their bytes depend on the file alone.

    The file is streamed, twice. CannotSplit when its prompts admit no split, ObjectGone when it was replaced.
    """
    objects = ledger.objects
    with objects.stream(train) as stream:
        held_out = held_out_of(stream, fmt)
    trained, evaluated = (f"{run}/data/{NAMES[role]}" for role in ("train", "eval"))
    if any(objects.stat(ledger.bucket, name) is None for name in (trained, evaluated)):
        with objects.stream(train) as stream:
            sides = Sides(stream, fmt, held_out)
            chunks = iter(sides)
            objects.create_from(ledger.bucket, trained, chunks, CONTENT_TYPE)
            for _ in chunks:  # all that is left when that side was there
                pass
            objects.create(ledger.bucket, evaluated, bytes(sides.evaluation), CONTENT_TYPE)
    return Parts(
        {
            "train": _part(objects, ledger.bucket, trained, held_out.trained_rows),
            "eval": _part(objects, ledger.bucket, evaluated, held_out.rows),
        },
        held_out,
    )


def stored_file(stored: StoredObject, rows: int, fmt: Format | None = None) -> StoredFile:
    """An object at its generation, with the rows that were counted in it, and a format of its own if it has one."""
    return StoredFile(
        bucket=stored.bucket,
        name=stored.name,
        generation=stored.generation,
        rows=rows,
        size_bytes=stored.size_bytes,
        format=fmt,
    )


def _part(objects: Objects, bucket: str, name: str, rows: int) -> StoredFile:
    stored = objects.stat(bucket, name)
    if stored is None:
        raise Retryable(f"gs://{bucket}/{name} was deleted as soon as it was written")
    return stored_file(stored, rows)
