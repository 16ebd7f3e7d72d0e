"""Text rows with the teacher's reasons: ``{"input_text": "…", "output_text": "…", "rationale": "…"}``.

A student model learns both the answer and why it is given. Source: Hsieh et al., "Distilling Step-by-Step!" (2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..bulk import lengths
from ..rowformat import Batch, Example, Problem, RowFormat
from . import text
from .columns import blank_rows
from .fields import text_field, unknown_fields


class Row(msgspec.Struct, frozen=True, gc=False):
    input_text: str
    output_text: str
    rationale: str


def measure(rows: Sequence[Row]) -> Batch | list[int]:
    """The columns of the rows; answer and rationale are both learned, and only the answer can be a label."""
    prompts, answers = [row.input_text for row in rows], [row.output_text for row in rows]
    rationales = [row.rationale for row in rows]
    if blank := blank_rows(prompts, answers, rationales):
        return blank
    asked, answered, reasoned = lengths(prompts), lengths(answers), lengths(rationales)
    fields = {"input_text": asked, "output_text": answered, "rationale": reasoned}
    return Batch(3, prompts, asked, answered + reasoned, fields, answers)


def problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with a text row that gives reasons."""
    yield from text.text_problems(row)
    yield from text_field(row, "rationale", "", "RATIONALE-MISSING", "RATIONALE-TYPE", "RATIONALE-EMPTY")
    yield from unknown_fields(row, text.FIELDS | {"rationale"}, "", "TEXT-UNKNOWN-FIELD")


TEXT_RATIONALE = RowFormat(
    name="text_rationale",
    row=Row,
    measure=measure,
    problems=problems,
    example=lambda row: Example(row.input_text, f"{row.output_text}\n{row.rationale}"),
    one_answer_per_prompt=False,  # a teacher may give several reasons for one answer
    incomplete=frozenset({"text", "prompts"}),
)
