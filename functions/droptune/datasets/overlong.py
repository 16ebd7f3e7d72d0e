"""Rows that have more tokens than the base model takes: what is likely, what is possible, and what is lost.

A token is at least one byte, so most rows are known to fit without being looked at; of the others, most by the worst
ratio of tokens to bytes that was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..methods.catalogue import Excess, Tuning
from .batches import candidates
from .fieldtexts import texts_by_pointer
from .rowformat import Batch, Problem, Values
from .tokens import WORST_ROW_FACTOR, WORST_TOKENS_PER_BYTE, Counter, estimate

CODES: dict[Excess, str] = {"cut": "TOKENS-EXCEED", "dropped": "TOKENS-DROPPED", "unstated": "TOKENS-OVER"}
MOST_BYTES_OF_CHARACTER = 4


class LongRows(NamedTuple):
    """Which rows may be too long, and what is: bytes up to which a prompt, an answer and both together certainly fit.

    None where nothing limits. `problems` are those of one typed row.
    """

    prompt: int | None
    answer: int | None
    row: int | None
    problems: Callable[[Any], Iterable[Problem]]

    def suspects(self, sizes: NDArray[np.int64], batch: Batch) -> NDArray[np.int64]:
        """The positions of a batch's rows that have to be judged, given the bytes of their lines.

        A character takes a byte of its line at least, so a text has no more bytes than its line has without the others.
        """
        may = np.zeros(len(sizes), np.bool_)
        beside = batch.prompt if batch.choices is None else batch.prompt + np.minimum(*candidates(batch))
        for most, others in ((self.prompt, batch.answer), (self.answer, beside), (self.row, 0)):
            if most is not None:
                may |= sizes - others > most
        return np.flatnonzero(may)


@dataclass(frozen=True)
class TokenLimits:
    """The most tokens of the prompt, of the answer and of the whole row; None where none is documented."""

    prompt: int | None
    answer: int | None
    row: int | None
    excess: Excess

    @classmethod
    def of(cls, tuning: Tuning) -> TokenLimits:
        """The limits in a catalogue entry."""
        return cls(tuning.input_tokens, tuning.output_tokens, tuning.example_tokens, tuning.excess)

    def long_rows(self, counted: bool, problems: Callable[[Any], Iterable[Problem]]) -> LongRows | None:
        """The rows that `problems` has to judge, None where nothing limits.

        A token is at least a byte; where tokens are not `counted`, the worst ratio that was measured decides.
        """
        limits = (self.prompt, self.answer, self.row)
        worst = 1 if counted else WORST_TOKENS_PER_BYTE
        prompt, answer, row = (None if limit is None else int(limit / worst) for limit in limits)
        return None if limits == (None, None, None) else LongRows(prompt, answer, row, problems)


def judge_row(prompt: str, answer: str, limits: TokenLimits, counter: Counter | None) -> list[Problem]:
    """What is wrong with the length of one row.

    Counted, or as its characters tell best, it exceeds a limit; or it may, at the worst ratio of tokens to characters.
    The places of the problems are empty, until they are `located`: the fields they name are those of `TokenLimits`.
    """
    found: list[Problem] = []
    for field, text, limit in (
        ("prompt", prompt, limits.prompt),
        ("answer", answer, limits.answer),
        ("row", f"{prompt}\n{answer}", limits.row),
    ):
        if limit is not None and len(text) * MOST_BYTES_OF_CHARACTER > limit:
            found.extend(_judge(field, text, limit, CODES[limits.excess], counter))
    return found


def located(problems: Iterable[Problem], row: Any, prompt: str, answer: str) -> Iterator[Problem]:
    """Problems of a typed row with the place of the field that holds the whole text, where it is one field."""
    for problem in problems:
        text = answer if problem.values["field"] == "answer" else prompt
        if problem.values["field"] == "row" and answer:
            yield problem  # prompt and answer together
            continue
        places = [place for place, said in texts_by_pointer(row) if said == text]
        # An answer comes after what it answers, should both be the same.
        yield problem._replace(pointer=places[-1 if text is answer else 0]) if places else problem


def _judge(field: str, text: str, limit: int, code: str, counter: Counter | None) -> Iterator[Problem]:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size <= limit or (counter is None and size * WORST_TOKENS_PER_BYTE <= limit):
        return
    if counter is not None:
        low = tokens = high = counter([text])[0]
    else:
        estimated = estimate(text)
        low, tokens = int(estimated.low), round(estimated.tokens)
        high = min(size, round(max(estimated.high, estimated.tokens * WORST_ROW_FACTOR)))
    values: Values = {"field": field, "found": tokens, "tokens": tokens, "limit": limit, "low": low, "high": high}
    if tokens > limit:
        yield Problem(code, values={**values, "lost": round(len(text) * (1 - limit / tokens))})
    elif high > limit:
        yield Problem("TOKENS-MAY-EXCEED", values=values)
