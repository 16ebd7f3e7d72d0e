"""Rows that have more tokens than the base model takes: what is likely, what is possible, and what is lost.

A token is at least one byte, so most rows are known to fit without being looked at; of the others, most by the worst
ratio of tokens to bytes that was measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..methods.catalogue import Excess, Tuning
from .rowformat import Problem, Values
from .tokens import WORST_ROW_FACTOR, WORST_TOKENS_PER_BYTE, Counter, estimate

CODES: dict[Excess, str] = {"cut": "TOKENS-EXCEED", "dropped": "TOKENS-DROPPED", "unstated": "TOKENS-OVER"}
MOST_BYTES_OF_CHARACTER = 4


class Suspects(NamedTuple):
    """Characters beyond which a prompt, an answer, or both together have to be judged; None where nothing limits."""

    prompt: int | None
    answer: int | None
    row: int | None


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

    def suspects(self) -> Suspects:
        """Lengths up to which rows fit whatever their characters are: a token for every byte."""
        limits = (self.prompt, self.answer, self.row)
        return Suspects(*(None if limit is None else limit // MOST_BYTES_OF_CHARACTER for limit in limits))


def judge_row(prompt: str, answer: str, limits: TokenLimits, counter: Counter | None) -> list[Problem]:
    """What is wrong with the length of one row.

    Counted, or as its characters tell best, it exceeds a limit; or it may, at the worst ratio of tokens to characters.
    The places of the problems are empty: the fields they name are those of `TokenLimits`.
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
