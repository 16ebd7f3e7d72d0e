"""Rows that hold what looks like a secret or an e-mail address: of all rows of a file, whatever its size.

What is kept of them is how many there are, and where the first ones stand; never what stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from ..findings import Findings
from ..located import Located
from ..personal import SECRETS, SUMMARISED, holding
from ..rowformat import Example, RowFormat
from .sample import MAX_ROWS_NAMED, Place, joined, pointer_to, report_each, summarise
from .telltales import Ints, Suspects, codes_of, suspects

_NONE = Suspects(np.zeros(0, np.int64), np.zeros(0, np.uint8))
_TEXTS = len(Example._fields)  # of each row
_codes_of = cache(codes_of)
_line = attrgetter("line")


class _Rows(NamedTuple):
    """How many rows a finding is due for, and the first of them in the order of the file."""

    total: int
    first: Sequence[Place]

    def with_others(self, others: _Rows) -> _Rows:
        return _Rows(self.total + others.total, sorted([*self.first, *others.first], key=_line)[:MAX_ROWS_NAMED])


_NO_ROWS = _Rows(0, ())


class Leaks:
    """The rows of a file that hold a secret or an e-mail address. Nothing is looked for unless it is `wanted`."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self._found: dict[str, _Rows] = {}

    def suspects(self, block: Located) -> Suspects:
        """The lines of a block whose rows are to be looked at."""
        return suspects(block) if self.wanted else _NONE

    def look(self, fmt: RowFormat, rows: Sequence[Any], lines: Ints, offsets: Ints, which: Suspects) -> None:
        """Look at the suspects among good rows, which stand on these lines of the file and begin at these offsets."""
        if not len(which.lines):
            return
        at = np.searchsorted(lines, which.lines)
        here = lines.take(at, mode="clip") == which.lines
        at, every = at[here], which.kinds[here]
        found: dict[str, list[Ints]] = {}
        for kinds in np.unique(every).tolist():
            those = at[every == kinds]
            texts = chain.from_iterable(map(fmt.example, [rows[row] for row in those.tolist()]))
            for code, positions in holding(joined(list(texts)), _codes_of(kinds)).items():
                found.setdefault(code, []).append(those[positions // _TEXTS])
        for code, holders in found.items():
            all_rows = np.unique(np.concatenate(holders))
            first = all_rows[:MAX_ROWS_NAMED]
            places = [
                Place(line, offset, self._pointer(code, rows[row], line))
                for line, offset, row in zip(
                    lines[first].tolist(), offsets[first].tolist(), first.tolist(), strict=True
                )
            ]
            self._take(code, _Rows(len(all_rows), places))

    def _pointer(self, code: str, row: Any, line: int) -> str | None:
        """Where in a row it stands; None for rows that will not be named, of which there may be millions."""
        known = self._found.get(code, _NO_ROWS).first
        most = 1 if code in SUMMARISED else MAX_ROWS_NAMED
        return pointer_to(row, partial(_says, code)) if len(known) < most or line < known[most - 1].line else None

    def merge(self, other: Leaks, lines: int, offset: int) -> None:
        """Take over the rows of the part of the file that begins after `lines` lines and `offset` bytes."""
        for code, rows in other._found.items():
            moved = [Place(each.line + lines, each.offset + offset, each.pointer) for each in rows.first]
            self._take(code, _Rows(rows.total, moved))

    def _take(self, code: str, rows: _Rows) -> None:
        self._found[code] = self._found.get(code, _NO_ROWS).with_others(rows)

    def report(self, findings: Findings, file: str, rows: int) -> None:
        """The findings about a file of so many good rows."""
        for code, (total, first) in self._found.items():
            if code in SUMMARISED:
                summarise(findings, code, file, first, total, rows, {})
            else:
                report_each(findings, code, file, [(each, {}) for each in first], total)


def _says(code: str, text: bytes) -> bool:
    return any(True for _ in SECRETS[code](text))
