"""One pass over a file: every finding about its lines, and what its rows amount to.

Whole blocks take a fast path: one typed decode, a proof from their bytes that each line is one row, and columns. What
fails there is narrowed down to pieces and then to lines, and a doubtful line is judged again from its raw value, which
lists all of its problems. Memory is bounded by one line, one read, the keys of the rows and a sample of them.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..events import Format
from .batches import batch_of_examples, dropped, each_key
from .blocks import MAX_LINE_BYTES, Window, windows
from .content.leaks import Leaks
from .decoding import Decoder
from .extras import MOST_FIELDS, Extras, field_of, learnable
from .findings import MAX_IN_FULL, Findings
from .formats import AMBIGUOUS, SAMPLED_LINES, commonest_format, detect, same_shape
from .judging import values_of
from .keys import MAX_ROWS, Keys, Place
from .layout import BOM, wrong_layout
from .lines import judge
from .located import Located
from .overlong import LongRows
from .rowformat import Batch, Problem, RowFormat
from .rules import rule
from .sample import Sample
from .statistics import Rows
from .structure import NEWLINE, Lines, escapes_nul, lines_of_bytes

LEARNED_SHARE = 1 / 16  # where more rows than that have further fields, these are decoded with the others

Indices = NDArray[np.int64]


class Scan:
    """What is known of a file; complete once `scan` returned it.

    `lines` are physical, `rows` those that are not blank. `shape` is the name of the rows' shape and `format` its
    format; both are None when no row has one known shape.
    """

    def __init__(self, file: str, compared: int = MAX_ROWS, leaks: bool = False) -> None:
        self.file = file
        self.lines = 0
        self.rows = 0
        self.size_bytes = 0
        self.shape: str | None = None
        self.format: RowFormat | None = None
        self.content = Rows()
        self.keys = Keys(compared)
        self.sample = Sample()
        self.leaks = Leaks(leaks)

    @classmethod
    def of_labels(cls, file: str, lines: int, rows: int) -> Scan:
        """What is known of a file of embedding labels, which is no JSON Lines."""
        scan = cls(file)
        scan.lines, scan.rows, scan.shape = lines, rows, "embedding_labels"
        return scan

    def merge(self, other: Scan, offset: int) -> None:
        """Take over what is known of the rest of the file, which begins at `offset`."""
        self.content.merge(other.content)
        self.keys.merge(other.keys, self.lines, offset)
        self.sample.merge(other.sample, self.lines, offset)
        self.leaks.merge(other.leaks, self.lines, offset)
        self.lines += other.lines
        self.rows += other.rows
        self.size_bytes = offset + other.size_bytes

    @property
    def known(self) -> Format | None:
        """The format of the rows, where they have one."""
        return self.format.name if self.format else "embedding_labels" if self.shape == "embedding_labels" else None

    @property
    def characters(self) -> int:
        """The characters of all good rows together."""
        return self.content.characters


class Scanner:
    """Takes a file's windows in order.

    `long_rows` is asked once, when the format is known. `each_batch` is given all good rows, with their lines,
    and `each_faulty` every other object with its line.
    """

    def __init__(
        self,
        result: Scan,
        findings: Findings,
        size_bytes: int = 0,
        long_rows: Callable[[RowFormat], LongRows | None] = lambda fmt: None,
        each_batch: Callable[[Sequence[Any], Sequence[int]], None] | None = None,
        fmt: RowFormat | None = None,
        at_start: bool = True,
        each_faulty: Callable[[Mapping[str, Any], int], None] | None = None,
    ) -> None:
        self._each_batch = each_batch
        self._each_faulty = each_faulty
        self._at_start = at_start
        self._result = result
        self._size_bytes = size_bytes
        self._findings = findings
        self._add = partial(findings.add, file=result.file)
        self._long_rows = long_rows
        self._long: LongRows | None = None
        self._blank = 0
        self._seen_object = False
        self._first_object: tuple[int, int] | None = None  # the line and offset of the first judged on its own
        self._ambiguous = False
        self._blanks = np.zeros(0, np.bool_)  # which lines of the block at hand are empty
        self._learning = True  # whether rows may still show which further fields all of them have
        if fmt is not None:
            self._use(fmt)

    def _use(self, fmt: RowFormat) -> None:
        self._result.shape, self._result.format = fmt.name, fmt
        self._long = self._long_rows(fmt)
        self._expect(Extras(fmt))

    def _expect(self, extras: Extras) -> None:
        self._extras = extras
        self._decoder = Decoder(extras)

    def take(self, window: Window) -> None:
        """Judge the lines of the next window."""
        result = self._result
        if window.huge:
            self._too_long(window)
            return
        raw = window.data
        result.size_bytes = window.offset + len(raw)
        if raw[-1] != NEWLINE:
            self._add("FILE-NO-FINAL-NEWLINE", line=None, offset=result.size_bytes)
            raw = memoryview(bytes(raw) + b"\n")
        lines = lines_of_bytes(raw)
        if window.offset == 0:
            rows = self._size_bytes * len(lines) // len(raw)
            result.sample.expect(rows)
            result.keys.expect(rows)
        if result.shape is None:
            self._find_format(raw, lines)
        block = Located(raw, lines, window.offset, result.lines + 1)
        self._note_returns(block)
        self._suspects = result.leaks.suspects(block)
        self._blanks = lines.blank()
        self._note_blanks(block)
        if result.format is None:
            bad: Iterable[int] = np.flatnonzero(~self._blanks).tolist()
        else:
            bad = self._fast(block, result.format)
        self._judge_lines(block, bad)
        result.lines += len(lines)
        result.rows = result.lines - self._blank

    def finish(self) -> None:
        """Say what only shows at the end."""
        result = self._result
        if not result.rows:
            self._add("FILE-EMPTY", {"bytes": result.size_bytes})
        elif not self._seen_object:
            self._add("FILE-NOT-JSONL", {"rows": result.rows})
        elif result.shape is None and not self._ambiguous:
            line, offset = self._first_object or (None, None)
            self._add("FORMAT-UNKNOWN", line=line, offset=offset)

    # --- the fast path -------------------------------------------------------------------------------------------

    def _fast(self, block: Located, fmt: RowFormat) -> list[int]:
        """Count the rows without fault; the lines that remain."""
        rows, at = self._decoder.rows(block)
        bad = set[int]()
        if at is not None:
            bad.update(self._without(at))
        if block.lines.escaped_nul():
            at, rows = self._without_escapes(block, rows, at, bad)
        left: Batch | None = None
        while rows:
            batch = left or fmt.measure(rows)
            doubtful = (
                batch if isinstance(batch, list) else [] if left else self._with_more_keys(block, batch, at, rows)
            )
            if not doubtful:
                assert isinstance(batch, Batch)
                self._note_extras(block, rows, at)
                self._count(block, fmt, rows, at, batch)
                break
            if isinstance(batch, Batch) and len(doubtful) > LEARNED_SHARE * len(rows) and self._learn(block, fmt):
                return self._fast(block, fmt)
            left = dropped(batch, doubtful) if isinstance(batch, Batch) else None
            at = list(range(len(block.lines))) if at is None else at
            bad.update(at[i] for i in doubtful)
            for i in reversed(doubtful):
                del at[i], rows[i]
        return sorted(bad)

    def _without(self, at: list[int]) -> list[int]:
        """The lines of the block at hand that are neither empty nor among some."""
        others = ~self._blanks
        others[at] = False
        found: list[int] = np.flatnonzero(others).tolist()
        return found

    def _learn(self, block: Located, fmt: RowFormat) -> bool:
        """Take the unknown fields of a block's rows for fields that all rows have; whether there are any. Done once."""
        if not self._learning:
            return False
        self._learning = False
        found: dict[str, Problem] = {}
        values: dict[frozenset[str], dict[str, Any]] = {}  # one row for each set of fields
        for line in range(min(SAMPLED_LINES, len(block.lines))):
            value, problems = judge(bytes(block.bytes_of(line, line + 1)).removeprefix(BOM))
            if value is None or problems:
                continue
            problems = list(islice(self._row_problems(value), MOST_FIELDS + 1))
            if learnable(problems, value):
                found.update((field_of(problem), problem) for problem in problems)
                values[frozenset(value)] = value
        own = ({name: value[name] for name in value.keys() - found.keys()} for value in values.values())
        if not 0 < len(found) <= MOST_FIELDS or not all(same_shape(row, found) for row in own):
            return False
        self._expect(Extras(fmt, found.values()))
        return True

    def _note_extras(self, block: Located, rows: list[Any], at: list[int] | None) -> None:
        for problem, times, first in self._extras.count(rows):
            self._remark(block, problem, first if at is None else at[first], times)

    def _remark(self, block: Located, problem: Problem, line: int, times: int) -> None:
        number, offset = block.first_line + line, block.offset + int(block.lines.starts[line])
        self._add(problem.code, problem.values, line=number, offset=offset, pointer=problem.pointer, times=times)

    def _without_escapes(
        self, block: Located, rows: list[Any], at: list[int] | None, bad: set[int]
    ) -> tuple[list[int], list[Any]]:
        """Leave out the lines with an escaped NUL, which decode but are to be reported."""
        lines = range(len(block.lines)) if at is None else at
        kept = [i for i, line in enumerate(lines) if not escapes_nul(block.bytes_of(line, line + 1))]
        bad.update(set(lines).difference(lines[i] for i in kept))
        return [lines[i] for i in kept], [rows[i] for i in kept]

    def _with_more_keys(self, block: Located, batch: Batch, at: list[int] | None, rows: list[Any]) -> list[int]:
        """The rows whose lines have more keys than the typed rows: unknown or repeated fields."""
        keys = each_key(batch, len(rows)) + self._extras.keys(rows)
        return block.lines.with_more_keys(keys, at)

    def _count(self, block: Located, fmt: RowFormat, rows: list[Any], at: list[int] | None, batch: Batch) -> None:
        """Take good rows into the statistics, the keys and the sample."""
        result = self._result
        self._seen_object = True
        lines = None if at is None else np.array(at, np.int64)
        if self._long is not None:
            self._judge_long(block, rows, lines, batch, self._long)
        if fmt.remarks is not None and batch.turns is not None:
            for problem, first, times in fmt.remarks(batch):
                self._remark(block, problem, first if lines is None else int(lines[first]), times)
        place = Place(0, block.first_line, block.offset, len(block.raw), lines, block.lines.starts)
        result.keys.add(batch, place)
        result.content.add(batch)
        starts = block.lines.starts if lines is None else block.lines.starts[lines]
        numbers = block.first_line + (np.arange(len(rows)) if lines is None else lines)
        result.sample.add(rows, numbers, block.offset + starts, len(block.raw), self._extras.plain)
        result.leaks.look(fmt, rows, numbers, block.offset + starts, self._suspects)
        if self._each_batch is not None:
            self._each_batch(rows, numbers.tolist())

    def _judge_long(
        self,
        block: Located,
        rows: Sequence[Any],
        lines: Indices | None,
        batch: Batch,
        long: LongRows,
    ) -> None:
        """What is too long in rows of which that cannot be ruled out."""
        sizes = block.lines.sizes if lines is None else block.lines.sizes[lines]
        for i in long.suspects(sizes, batch).tolist():
            line = i if lines is None else int(lines[i])
            for problem in long.problems(rows[i]):
                self._report(problem, block.first_line + line, block.offset + int(block.lines.starts[line]))

    # --- the slow path -------------------------------------------------------------------------------------------

    def _judge_lines(self, block: Located, at: Iterable[int]) -> None:
        fmt = self._result.format
        rows: list[Any] = []
        lines: list[int] = []
        for line in at:
            text = bytes(block.bytes_of(line, line + 1)).removesuffix(b"\n").removesuffix(b"\r")
            number, offset = block.first_line + line, block.offset + int(block.lines.starts[line])
            if number == 1 and self._at_start and text.startswith(BOM):  # which is the file's fault, not the row's
                self._add("BOM", line=number, offset=offset)
                text = text.removeprefix(BOM)
            if not text or text.isspace():
                self._blank += 1
                self._add("BLANK-LINE", line=number, offset=offset)
                continue
            row = self._judge(text, number, offset)
            if row is not None:
                rows.append(row)
                lines.append(line)
        while fmt is not None and rows:
            batch = fmt.measure(rows)
            if isinstance(batch, Batch):
                self._count(block, fmt, rows, lines, batch)
                return
            unplain = [rows[i] for i in batch]
            self._count(block, fmt, unplain, [lines[i] for i in batch], batch_of_examples(fmt, unplain))
            for i in reversed(batch):
                del rows[i], lines[i]

    def _judge(self, text: bytes, number: int, offset: int) -> Any:
        """Report everything that is wrong with a line; its row when nothing of it is an error."""
        value, problems = judge(text)
        if value is not None:
            self._seen_object = True
            self._first_object = self._first_object or (number, offset)
        wrong = False
        for problem in problems if value is None else chain(problems, self._row_problems(value)):
            self._report(problem, number, offset)
            wrong = wrong or rule(problem.code).severity == "error"
        if wrong and value is not None and self._each_faulty is not None:
            self._each_faulty(value, number)
        fmt = self._result.format
        return None if value is None or fmt is None or wrong else msgspec.convert(value, fmt.row)

    def _row_problems(self, value: dict[str, Any]) -> Iterable[Problem]:
        """Everything wrong with an object as a row; one by one, since a line may have a million faults."""
        fmt, shape = self._result.format, detect(value)
        if fmt is None:
            self._ambiguous = self._ambiguous or shape == AMBIGUOUS
            return [Problem("ROW-AMBIGUOUS")] if shape == AMBIGUOUS else []
        if shape is None or shape == fmt.name or shape in fmt.incomplete:
            return fmt.problems(value)
        if shape == AMBIGUOUS:
            return [Problem("ROW-AMBIGUOUS")]
        return [Problem("FORMAT-MIXED", "", {"found": shape, "format": fmt.name})]

    def _report(self, problem: Problem, line: int, offset: int) -> None:
        code, pointer, values, excerpt = problem
        self._add(code, values, line=line, offset=offset, pointer=pointer, text=excerpt)

    def _note_returns(self, block: Located) -> None:
        returns = block.lines.returns()
        if (count := int(np.count_nonzero(returns))) > 0:
            line = int(returns.argmax())
            offset = block.offset + int(block.lines.starts[line])
            self._add("CRLF", line=block.first_line + line, offset=offset, times=count)

    def _note_blanks(self, block: Located) -> None:
        """Report empty lines: so many of them one by one as are kept, since a file may have millions."""
        blanks = np.flatnonzero(self._blanks)
        alone = max(MAX_IN_FULL - self._blank, 0)
        self._blank += len(blanks)
        for line in blanks[:alone].tolist():
            self._remark(block, Problem("BLANK-LINE"), line, 1)
        if len(blanks) > alone:
            self._remark(block, Problem("BLANK-LINE"), int(blanks[alone]), len(blanks) - alone)

    def _too_long(self, window: Window) -> None:
        result = self._result
        result.lines += 1
        result.rows = result.lines - self._blank
        values = {"most": MAX_LINE_BYTES}
        text = bytes(window.data).decode("utf-8", "replace")
        self._add("LINE-TOO-LONG", values, line=result.lines, offset=window.offset, text=text)

    def _find_format(self, raw: memoryview, lines: Lines) -> None:
        bounds = zip(lines.starts.tolist(), lines.ends.tolist(), strict=True)
        fmt = commonest_format(values_of(bytes(raw[start:end]) for start, end in bounds))
        if fmt is not None:
            self._use(fmt)


def scan(
    stream: BinaryIO,
    file: str,
    findings: Findings,
    *,
    fmt: RowFormat | None = None,
    size_bytes: int = 0,
    long_rows: Callable[[RowFormat], LongRows | None] = lambda fmt: None,
    each_batch: Callable[[Sequence[Any], Sequence[int]], None] | None = None,
    each_faulty: Callable[[Mapping[str, Any], int], None] | None = None,
    leaks: bool = False,
) -> Scan:
    """Read the stream to its end, or to where it turns out to be no JSON Lines; findings name `file`.

    `fmt` spares finding out the format; `size_bytes`, where it is known, spares work on the sample. `leaks`
    says whether secrets and e-mail addresses are looked for.
    """
    result = Scan(file, leaks=leaks)
    scanner = Scanner(result, findings, size_bytes, long_rows, each_batch, fmt, each_faulty=each_faulty)
    with uncollected():
        for window in windows(stream):
            if window.offset == 0 and (code := wrong_layout(bytes(window.data))):
                findings.add(code, file=result.file, line=1, offset=0)
                result.size_bytes = len(window.data)
                return result
            scanner.take(window)
    scanner.finish()
    return result


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector of cycles: rows hold none, and looking for some in each block takes a tenth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
