"""What `droptune fix` does about each error, and whether it corrects all without loss: its own functions are asked.

The lines of the errors that a report lists are put right one by one. Where none of them is lost, whole files are
corrected in memory and judged again: a row that is read at last counts, and may repeat another's id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import BinaryIO, NamedTuple

from ..events import Role
from .findings import Findings, Found
from .repair.fixing import format_to_fix
from .repair.mending import Mender
from .repair.tables import Opened
from .repair.trial import MOST_BYTES as MOST_COPIED
from .repair.trial import Trial, lost_lines, try_to_fix, try_to_fix_table
from .rowformat import RowFormat
from .rules import Remedy, rule

MOST_BYTES = 8 * 1024 * 1024  # of the lines that are put right one by one
READ_BYTES = 16 * 1024
ENOUGH_LINES = 100  # are tried where some of them are lost; what others are is taken from their rules


class Judged(NamedTuple):
    """A file as it was judged; `fmt` is the format of its rows as they stand, where they have one that is known."""

    name: str
    size_bytes: int
    open: Opened
    fmt: RowFormat | None


def settle(findings: Findings, files: Mapping[Role, Judged], is_right: Callable[[Mapping[Role, bytes]], bool]) -> None:
    """Say of every error what becomes of it, and of the findings whether nothing is lost by correcting them.

    `is_right` judges the set anew, given the corrected files among it.
    """
    broken = {role: file for role, file in files.items() if findings.errors_in(file.name)}
    for file in broken.values():
        if file.fmt is not None:
            _decide_lines(findings, file, file.fmt)
    trials = {role: _try(findings, role, file) for role, file in broken.items() if not _is_lost(findings, file)}
    if len(trials) < len(broken) or not trials:
        return
    copies = {role: trial.copy for role, trial in trials.items() if trial is not None and trial.copy is not None}
    wanted = [trial for trial in trials.values() if trial is not None]
    if len(copies) == len(wanted):
        findings.repairable = bool(copies) and is_right(copies)
    elif all(trial.copy is not None or trial.given_up for trial in wanted):
        # Too large to be sure of, unless every single error was tried.
        findings.repairable = findings.all_listed and all(map(_was_corrected, findings.errors_in()))
    if findings.repairable:
        findings.decide(lambda found: "correct")


def _try(findings: Findings, role: Role, file: Judged) -> Trial | None:
    """The trial on a file; None where nothing of it can be corrected, so that it stays as it is."""
    errors = findings.errors_in(file.name)
    if role == "labels":
        return try_to_fix_table(file.open) if any(map(_is_corrected, errors)) else None
    if file.fmt is not None:
        if not any(map(_is_corrected, errors)):
            return None
        return Trial(given_up=True) if file.size_bytes > MOST_COPIED else try_to_fix(file.open, file.fmt)
    fmt = format_to_fix(file.open)
    if fmt is None:
        findings.decide(lambda found: "none", file.name)
        return Trial()
    trial = try_to_fix(file.open, fmt)
    if trial.copy is None and not trial.given_up:
        _decide_lines(findings, file, fmt)
        findings.decide(lambda found: "none" if found.code.startswith("FILE-") else found.remedy, file.name)
    return trial


def _remedy(found: Found) -> Remedy:
    return found.remedy or rule(found.code).remedy


def _is_corrected(found: Found) -> bool:
    return _remedy(found) == "correct"


def _was_corrected(found: Found) -> bool:
    return found.remedy == "correct" or found.code == "BOM"


def _is_lost(findings: Findings, file: Judged) -> bool:
    return any(_remedy(found) == "remove" for found in findings.errors_in(file.name)) and file.fmt is not None


def _decide_lines(findings: Findings, file: Judged, fmt: RowFormat) -> None:
    """Say of the errors of rows whether their lines are corrected or set aside."""
    of_rows = [found for found in findings.errors_in(file.name) if _is_of_row(found)]
    blank = findings.warnings_of("BLANK-LINE", file.name)  # they may stand within a value that goes over several lines
    places = {found.line: found.offset for found in (*of_rows, *blank)}
    if not of_rows:
        return
    mender = Mender(fmt)
    tried: set[int] = set()
    lost: set[int] = set()
    with file.open() as stream:
        for first, raw, count in _runs(stream, places):
            tried.update(range(first, first + count))
            lost.update(first + index for index in lost_lines(raw, mender))
            if lost and len(tried) >= ENOUGH_LINES:  # to the file, the others do not matter any more
                break

    def remedy(found: Found) -> Remedy | None:
        if found.line not in tried or not _is_of_row(found):
            return found.remedy
        return "remove" if found.line in lost else "correct"

    findings.decide(remedy, file.name)


def _is_of_row(found: Found) -> bool:
    """Whether an error is about the row on a line, and not about its place among others or about the file."""
    if found.line is None or found.offset is None or found.code in ("BOM", "LINE-TOO-LONG"):
        return False
    return not found.code.startswith("FILE-") and rule(found.code).remedy != "none"


def _runs(stream: BinaryIO, places: Mapping[int | None, int | None]) -> Iterator[tuple[int, bytes, int]]:
    """Neighbouring lines, given by their numbers and offsets: the first number, the bytes of all, and how many."""
    lines = sorted((line, offset) for line, offset in places.items() if line is not None and offset is not None)
    left = MOST_BYTES
    for _, group in groupby(enumerate(lines), lambda each: each[1][0] - each[0]):
        run = [place for _, place in group]
        raw = _read(stream, run[0][1], run[-1][1], left)
        left -= len(raw)
        if left <= 0:
            return
        yield run[0][0], raw, len(run)


def _read(stream: BinaryIO, start: int, last: int, most: int) -> bytes:
    """The bytes from an offset up to the end of the line that begins at another, or so many."""
    stream.seek(start)
    raw = bytearray()
    while len(raw) < most and (piece := stream.read(READ_BYTES)):
        raw += piece
        end = raw.find(b"\n", last - start)
        if end >= 0:
            return bytes(raw[: end + 1])
    return bytes(raw)
