"""One large local file, read by several processes, each a range of its bytes."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from .blocks import READ_BYTES, windows
from .findings import Findings
from .formats import commonest_format
from .judging import values_of
from .keys import MAX_ROWS
from .layout import wrong_layout
from .overlong import LongRows
from .rowformat import RowFormat
from .scan import Scan, Scanner, scan, uncollected

LEAST_BYTES = 16 * 1024 * 1024  # for each process: below, starting it takes longer than what it saves


class _Part(NamedTuple):
    """What one process found, its lines and offsets counted from its own start."""

    scan: Scan
    findings: Findings
    offset: int


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def scan_file(
    path: Path,
    file: str,
    findings: Findings,
    *,
    processes: int,
    fmt: RowFormat | None = None,
    long_rows: Callable[[RowFormat], LongRows | None] = lambda fmt: None,
    leaks: bool = False,
    least_bytes: int = LEAST_BYTES,
) -> Scan:
    """As `scan` of the file at `path`, by several processes where it is large enough and the system can fork.

    The processes have to be forks: keys of rows are hashes, which only agree between processes of one seed.
    """
    size = path.stat().st_size
    parts = min(processes, size // least_bytes)
    if parts < 2 or not hasattr(os, "fork"):
        with path.open("rb", buffering=0) as stream:
            return scan(stream, file, findings, fmt=fmt, size_bytes=size, long_rows=long_rows, leaks=leaks)
    first = _beginning(path, fmt)
    if first is None:  # no JSON Lines, or no row of a known format: one process says so
        return scan_file(path, file, findings, processes=1, fmt=fmt, long_rows=long_rows, leaks=leaks)
    global _work  # what the forks inherit, since a format and its rules cannot be pickled
    ranges = list(_ranges(path, size, parts))
    _work = _Work(path, file, first, long_rows, leaks, MAX_ROWS // len(ranges))
    from concurrent.futures import ProcessPoolExecutor  # which small files should not wait for
    from multiprocessing import get_context

    with ProcessPoolExecutor(len(ranges) - 1, mp_context=get_context("fork"), initializer=_end_quietly) as pool:
        with _interrupts_held():
            others = pool.map(_scan_range, ranges[1:])
        return _merged([_scan_range(ranges[0]), *others], findings)


def _end_quietly() -> None:
    """Ctrl-C, which every process gets, ends those of the pool without a word: the first says what is to be said."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """While processes are forked, and until each has said what an interruption means to it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Work(NamedTuple):
    """What all processes have in common; `compared` is how many rows each keeps for comparing them."""

    path: Path
    file: str
    fmt: RowFormat
    long_rows: Callable[[RowFormat], LongRows | None]
    leaks: bool
    compared: int


_work: _Work | None = None


def _beginning(path: Path, fmt: RowFormat | None) -> RowFormat | None:
    """The format of the rows, as the file's first block tells; None where that is not plain."""
    with path.open("rb", buffering=0) as stream:
        head = stream.read(READ_BYTES)
    head = head[: head.rfind(b"\n") + 1]
    if not head or wrong_layout(head):
        return None
    found = commonest_format(values_of(head.removesuffix(b"\n").split(b"\n")))
    return None if found is None else fmt or found


def _ranges(path: Path, size: int, parts: int) -> Iterator[tuple[int, int]]:
    """Ranges of bytes of about equal size, each of whole lines."""
    start = 0
    with path.open("rb", buffering=0) as stream:
        for part in range(1, parts + 1):
            end = size if part == parts else _line_break(stream, max(start, size * part // parts))
            if end > start:
                yield start, end
            start = end


def _line_break(stream: BinaryIO, at: int) -> int:
    """The position after the first line break from there on, or the end of the file."""
    stream.seek(at)
    while chunk := stream.read(READ_BYTES):
        if (found := chunk.find(b"\n")) >= 0:
            return at + found + 1
        at += len(chunk)
    return at


def _scan_range(bounds: tuple[int, int]) -> _Part:
    assert _work is not None
    path, file, fmt, long_rows, leaks, compared = _work
    start, end = bounds
    findings = Findings()
    result = Scan(file, compared, leaks)
    scanner = Scanner(result, findings, path.stat().st_size, long_rows, fmt=fmt, at_start=start == 0)
    with path.open("rb", buffering=0) as stream, uncollected():
        stream.seek(start)
        for window in windows(cast(BinaryIO, _Limited(stream, end - start))):
            scanner.take(window)
    return _Part(result, findings, start)


def _merged(parts: list[_Part], findings: Findings) -> Scan:
    first = parts[0].scan
    whole = Scan(first.file)  # which keeps as many rows for comparing as all parts may together
    whole.shape, whole.format = first.shape, first.format
    whole.keys.expect(sum(part.scan.keys.rows for part in parts))
    for part in parts:
        findings.merge(part.findings, whole.lines, part.offset)
        whole.merge(part.scan, part.offset)
    return whole


class _Limited(io.RawIOBase):
    """The next so many bytes of a stream."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        # A view: `read` gives a bytearray, of which a slice would be a copy.
        count: int = self._stream.readinto(memoryview(buffer)[: self._left])  # type: ignore[attr-defined]
        self._left -= count
        return count
