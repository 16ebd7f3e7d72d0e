"""Preference rows whichever way round their candidates stand: as they are meant, and with the opposite preference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec.structs import replace

from ..events import Format


class Meanings(NamedTuple):
    """A row with its better candidate first, and the row that prefers the other candidate, written the same way.

    Rows that say the same are equal in both, however they are written. The two are equal when the candidates are.
    """

    meant: Any
    opposite: Any


def _candidates(row: Any) -> Meanings:
    first, second = row.candidate_0, row.candidate_1
    better, worse = (second, first) if row.choice else (first, second)
    meant = replace(row, candidate_0=better, candidate_1=worse, choice=0)
    return Meanings(meant, replace(row, candidate_0=worse, candidate_1=better, choice=0))


def _completions(row: Any) -> Meanings:
    better, worse = sorted(row.completions, key=attrgetter("score"), reverse=True)
    turned = [replace(worse, score=better.score), replace(better, score=worse.score)]
    return Meanings(replace(row, completions=[better, worse]), replace(row, completions=turned))


def _outputs(row: Any) -> Meanings:
    better, worse = row.preferred_output, row.non_preferred_output
    return Meanings(row, replace(row, preferred_output=worse, non_preferred_output=better))


MEANINGS: Mapping[Format, Callable[[Any], Meanings]] = {
    "preference": _candidates,
    "chat_preference": _candidates,
    "gemini_preference": _completions,
    "openai_preference": _outputs,
}
