"""The rows of a file that are looked at more closely, by columns, and how findings about them are added."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import stringzilla

from ...events import Format, Role
from ..fieldtexts import texts_by_pointer
from ..findings import Findings
from ..formats.openai_turns import said_by
from ..formats.parts import said
from ..rowformat import RowFormat, Values
from ..sample import Sampled

MAX_CHARACTERS = 4_000  # of a text: what follows is not looked at
MAX_ROWS_NAMED = 100  # findings of one code that are kept row by row
MAX_LINES_NAMED = 5
SEPARATOR = "\0"
# Whether a text, `joined`, says what a finding is about.
Says = Callable[[bytes], bool]
# Spaces and letters that Japanese and Chinese texts have in two widths, and the bytes that they begin with.
_WIDE = re.compile("[\u00a0\u3000\uff01-\uff9f]+")
_WIDE_LEADS = (b"\xef", b"\xe3\x80\x80", b"\xc2\xa0")


class Place(NamedTuple):
    """Where a row stands in its file, and which of its texts is meant, as a JSON pointer."""

    line: int
    offset: int
    pointer: str | None = None


class Pair(NamedTuple):
    """The two candidates of a preference row, as text."""

    better: str
    worse: str


class Sample:
    """Rows of one file by columns. `answers` is empty where rows have none, `pairs` where they are no preferences."""

    def __init__(self, fmt: RowFormat, role: Role, file: str, sampled: Sequence[Sampled]) -> None:
        self.fmt = fmt
        self.role = role
        self.file = file
        self._sampled = sampled
        examples = [fmt.example(kept.row) for kept in sampled]
        self.prompts = [example.prompt[:MAX_CHARACTERS] for example in examples]
        pair_of = PAIRS.get(fmt.name)
        self.pairs = [] if pair_of is None else [pair_of(kept.row) for kept in sampled]
        has_answers = fmt.has_answer and pair_of is None
        self.answers = [example.answer[:MAX_CHARACTERS] for example in examples] if has_answers else []

    def __len__(self) -> int:
        return len(self._sampled)

    def line(self, position: int) -> int:
        """The line of a row of the sample."""
        return self._sampled[position].line

    @cached_property
    def replies(self) -> list[str]:
        """What stands beside each prompt: the answer, or both candidates; empty texts where rows have neither."""
        if self.pairs:
            return [f"{better[:MAX_CHARACTERS]}\n{worse[:MAX_CHARACTERS]}" for better, worse in self.pairs]
        return self.answers or [""] * len(self)

    @cached_property
    def data(self) -> bytes:
        """All prompts, then all replies, `joined`."""
        return joined([*self.prompts, *self.replies])

    def report(
        self,
        findings: Findings,
        code: str,
        positions: Sequence[int],
        says: Says | None = None,
        /,
        **values: str | int | float,
    ) -> None:
        """One finding about some rows: their `count`, the `share` of the sample in %, and the first `lines`.

        `says` tells the text that is meant, so that the first row's can be pointed at.
        """
        if positions:
            first = [self._place(at, says) for at in positions[:MAX_LINES_NAMED]]
            summarise(findings, code, self.file, first, len(positions), len(self), values)

    def report_rows(
        self, findings: Findings, code: str, found: Sequence[tuple[int, Values]], says: Says | None = None
    ) -> None:
        """A finding for each of some rows, given by their positions; past `MAX_ROWS_NAMED` they are only counted."""
        first = [(self._place(position, says), values) for position, values in found[:MAX_ROWS_NAMED]]
        report_each(findings, code, self.file, first, len(found))

    def _place(self, position: int, says: Says | None) -> Place:
        kept = self._sampled[position]
        return Place(kept.line, kept.offset, pointer_to(kept.row, says) if says else None)


def summarise(
    findings: Findings, code: str, file: str, first: Sequence[Place], count: int, of: int, values: Values
) -> None:
    """One finding about `count` of so many rows, of which the first are given: with their share in % and lines."""
    lines = ", ".join(str(place.line) for place in first[:MAX_LINES_NAMED])
    more: Values = {"count": count, "share": percent(count, of), "lines": lines}
    line, offset, pointer = first[0]
    findings.add(code, {**more, **values}, file=file, line=line, offset=offset, pointer=pointer)


def report_each(findings: Findings, code: str, file: str, first: Sequence[tuple[Place, Values]], count: int) -> None:
    """A finding for each of `count` rows, of which the first are given; past `MAX_ROWS_NAMED` they are only counted."""
    for at, ((line, offset, pointer), values) in enumerate(first[:MAX_ROWS_NAMED], 1):
        times = count - at + 1 if at == MAX_ROWS_NAMED else 1
        findings.add(code, values, file=file, line=line, offset=offset, pointer=pointer, times=times)


def pointer_to(row: Any, says: Says) -> str | None:
    """The place of the first text of a typed row that `says` something; None where no text alone does."""
    return next((pointer for pointer, text in texts_by_pointer(row) if says(joined([text]))), None)


def joined(texts: Sequence[str]) -> bytes:
    """The texts as UTF-8 with a NUL after each; wide forms are made common ones (NFKC)."""
    text = SEPARATOR.join([*texts, ""])
    if text.count(SEPARATOR) != len(texts):
        text = SEPARATOR.join([*(each.replace(SEPARATOR, " ") for each in texts), ""])
    data = text.encode("utf-8", "surrogatepass")
    if not text.isascii() and any(stringzilla.find(data, lead) >= 0 for lead in _WIDE_LEADS):
        text = SEPARATOR.join(map(_common, text.split(SEPARATOR)))
        data = text.encode("utf-8", "surrogatepass")
    return data


def _common(text: str) -> str:
    return text if text.isascii() else _WIDE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def percent(part: int, whole: int) -> float:
    """A share in % with one decimal."""
    return round(100 * part / whole, 1) if whole else 0.0


def _candidates(row: Any) -> Pair:
    return Pair(row.candidate_1, row.candidate_0) if row.choice else Pair(row.candidate_0, row.candidate_1)


def _completions(row: Any) -> Pair:
    first, second = (said(each.completion.parts) for each in row.completions)
    return Pair(first, second) if row.completions[0].score else Pair(second, first)


def _outputs(row: Any) -> Pair:
    preferred, other = ("\n".join(map(said_by, each)) for each in (row.preferred_output, row.non_preferred_output))
    return Pair(preferred, other)


PAIRS: Mapping[Format, Callable[[Any], Pair]] = {
    "preference": _candidates,
    "chat_preference": _candidates,
    "gemini_preference": _completions,
    "openai_preference": _outputs,
}
