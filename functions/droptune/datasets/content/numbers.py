"""Rows of the sample that hold what looks like a number of a person: of a telephone, a card, an account and the like.

The bytes of the whole sample are searched for seven digits in a row but for separators; only texts that have them are
looked at with patterns.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..findings import Findings
from ..personal import SUMMARISED, number_codes
from ..rowformat import Values
from .sample import Sample

# Digits stay, letters become x, and what may stand between the digits of one number is left out.
_DIGITS = bytes(c if 48 <= c <= 57 or c == 0 else 120 for c in range(256))
_BETWEEN_DIGITS = b" -.()+/"


def examine_numbers(sample: Sample, findings: Findings) -> None:
    """Rows that hold what looks like a number of a person; a finding for each row of the graver kinds."""
    data = sample.data
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
    found: dict[str, set[int]] = {}
    for at in _rows_with_digits(data):
        text = data[ends[at - 1] + 1 if at else 0 : ends[at]].decode("utf-8", "replace")
        for code in number_codes(text):
            found.setdefault(code, set()).add(at % len(sample))  # replies stand after the prompts
    for code, rows in found.items():
        says = partial(_says, code)
        if code in SUMMARISED:
            sample.report(findings, code, sorted(rows), says)
        else:
            nothing: Values = {}
            sample.report_rows(findings, code, [(at, nothing) for at in sorted(rows)], says)


def _says(code: str, text: bytes) -> bool:
    return code in number_codes(text.decode("utf-8", "replace"))


def _rows_with_digits(data: bytes) -> set[int]:
    """Texts with seven digits in a row but for separators, other than serial numbers without any."""
    joined = _digits(data.translate(_DIGITS, _BETWEEN_DIGITS))
    if not joined.sevens.any():
        return set()
    bare = _digits(data)
    # A serial number of up to nine digits has as many places of seven in a row with and without the separators.
    texts = len(joined.ends)
    differ = np.bincount(joined.text_of(joined.sevens), minlength=texts) != np.bincount(
        bare.text_of(bare.sevens), minlength=texts
    )
    tens = _both(joined.sevens, 3)
    return set(np.flatnonzero(differ).tolist()) | set(joined.text_of(tens).tolist())


class _Digits(NamedTuple):
    """Where texts end, and where seven digits in a row begin."""

    ends: NDArray[np.int64]
    sevens: NDArray[np.bool_]

    def text_of(self, marks: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.searchsorted(self.ends, np.flatnonzero(marks))


def _digits(data: bytes) -> _Digits:
    signs = np.frombuffer(data, np.uint8)
    two = _both((signs - np.uint8(48)) < 10, 1)
    return _Digits(np.flatnonzero(signs == 0), _both(_both(two, 2), 3))


def _both(marks: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Where a mark is, and another at this distance after it."""
    return marks[:-distance] & marks[distance:]
