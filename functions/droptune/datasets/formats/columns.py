"""Columns of typed rows, for the fast path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bulk import blanks, lengths
from ..rowformat import Batch


def small_numbers(numbers: Iterable[int]) -> NDArray[np.uint8]:
    """Numbers from 0 to 255 as an array, by the quickest way there is."""
    return np.frombuffer(bytes(numbers), np.uint8)


def blank_rows(*columns: Sequence[str]) -> list[int]:
    """The positions at which some column says nothing, in order; the columns have one text for each row."""
    return sorted({at for texts in columns for at in blanks(texts)})


def per_row(values: NDArray[np.int32], counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """The sums of consecutive runs of values; `counts`, all above zero, say how many values each run has."""
    starts = np.zeros(len(counts), np.int64)
    np.cumsum(counts[:-1], out=starts[1:])
    return np.add.reduceat(values, starts, dtype=np.int32) if len(values) else np.zeros(len(counts), np.int32)


def pairs(prompt: str, prompts: Sequence[str], answer: str, answers: Sequence[str]) -> Batch | list[int]:
    """What `RowFormat.measure` gives for flat rows of a prompt and an answer: two names of fields, two columns."""
    if blank := blank_rows(prompts, answers):
        return blank
    asked, answered = lengths(prompts), lengths(answers)
    return Batch(2, prompts, asked, answered, {prompt: asked, answer: answered}, answers)


def measure_pairs(prompt: str, answer: str) -> Callable[[Sequence[Any]], Batch | list[int]]:
    """The `measure` of flat rows of a prompt and an answer, given the names of the two fields.

    A format whose files are large calls `pairs` with list comprehensions over attributes, which are twice as fast.
    """
    get_prompt, get_answer = attrgetter(prompt), attrgetter(answer)
    return lambda rows: pairs(prompt, list(map(get_prompt, rows)), answer, list(map(get_answer, rows)))


def measure_prompts(prompt: str) -> Callable[[Sequence[Any]], Batch | list[int]]:
    """The `measure` of flat rows of one field, a prompt."""
    get_prompt = attrgetter(prompt)

    def measure(rows: Sequence[Any]) -> Batch | list[int]:
        prompts = list(map(get_prompt, rows))
        if blank := blanks(prompts):
            return blank
        asked = lengths(prompts)
        return Batch(1, prompts, asked, np.zeros(len(rows), np.int32), {prompt: asked})

    return measure
