"""Columns of batches, whatever their format calls them, and batches that a format's own `measure` does not take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bulk import lengths
from .rowformat import Batch, RowFormat

_CANDIDATES = ("candidate_0", "candidate_1", "preferred_output", "non_preferred_output")


def each_key(batch: Batch, rows: int) -> NDArray[np.int64]:
    """The number of keys of each row."""
    return np.broadcast_to(np.asarray(batch.keys, np.int64), rows)


def candidates(batch: Batch) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The characters of both candidates of each preference, however its format names them."""
    both = batch.fields.get("completion")
    if both is not None:
        return both[0::2], both[1::2]
    first, second = (lengths for name, lengths in batch.fields.items() if name in _CANDIDATES)
    return first, second


def dropped(batch: Batch, positions: Sequence[int]) -> Batch | None:
    """The batch without some rows; None where rows have several values of one field, so that columns do not tell."""
    rows = len(batch.hashed)
    if not all(len(lengths) == rows for lengths in batch.fields.values()):
        return None
    kept = np.ones(rows, np.bool_)
    kept[positions] = False
    lists = [batch.hashed] if batch.answers is None else [batch.hashed, batch.answers]
    hashed, *answers = ([texts[at] for at in np.flatnonzero(kept).tolist()] for texts in lists)
    same = {id(lengths): lengths[kept] for lengths in (batch.prompt, batch.answer, *batch.fields.values())}
    return batch._replace(
        keys=batch.keys if isinstance(batch.keys, int) else batch.keys[kept],
        hashed=hashed,
        prompt=same[id(batch.prompt)],
        answer=same[id(batch.answer)],
        fields={name: same[id(lengths)] for name, lengths in batch.fields.items()},
        answers=answers[0] if answers else None,
        turns=None if batch.turns is None else batch.turns[kept],
        choices=None if batch.choices is None else batch.choices[kept],
    )


def batch_of_examples(fmt: RowFormat, rows: Sequence[Any]) -> Batch:
    """The columns of rows that are usable but not plain, such as those with more than text: by their examples."""
    examples = [fmt.example(row) for row in rows]
    prompts, answers = [example.prompt for example in examples], [example.answer for example in examples]
    asked, answered = lengths(prompts), lengths(answers)
    fields = {"prompt": asked, "answer": answered} if fmt.has_answer else {"prompt": asked}
    return Batch(0, prompts, asked, answered, fields, answers if fmt.has_answer else None)
