"""Batches of rows that a format's own `measure` does not take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formats.columns import lengths
from .rowformat import Batch, RowFormat


def each_key(batch: Batch, rows: int) -> NDArray[np.int64]:
    """The number of keys of each row."""
    return np.broadcast_to(np.asarray(batch.keys, np.int64), rows)


def batch_of_examples(fmt: RowFormat, rows: Sequence[Any]) -> Batch:
    """The columns of rows that are usable but not plain, such as those with more than text: by their examples."""
    examples = [fmt.example(row) for row in rows]
    prompts, answers = [example.prompt for example in examples], [example.answer for example in examples]
    asked, answered = lengths(prompts), lengths(answers)
    fields = {"prompt": asked, "answer": answered} if fmt.has_answer else {"prompt": asked}
    return Batch(0, prompts, asked, answered, fields, answers if fmt.has_answer else None)
