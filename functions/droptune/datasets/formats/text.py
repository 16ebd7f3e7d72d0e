"""Text rows: ``{"input_text": "…", "output_text": "…"}``, for PaLM text and code models.

Source: "Tune text models by using supervised tuning", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..rowformat import Batch, Example, Problem, RowFormat
from .columns import pairs
from .fields import text_field, unknown_fields

FIELDS = frozenset({"input_text", "output_text"})


class Row(msgspec.Struct, frozen=True, gc=False):
    input_text: str
    output_text: str


def measure(rows: Sequence[Row]) -> Batch | list[int]:
    """The columns of the rows, or the positions of those with a blank text."""
    prompts, answers = [row.input_text for row in rows], [row.output_text for row in rows]
    return pairs("input_text", prompts, "output_text", answers)


def text_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with the two texts of a row."""
    yield from text_field(row, "input_text", "", "TEXT-MISSING-INPUT", "TEXT-INPUT-TYPE", "TEXT-EMPTY-INPUT")
    yield from text_field(row, "output_text", "", "TEXT-MISSING-OUTPUT", "TEXT-OUTPUT-TYPE", "TEXT-EMPTY-OUTPUT")


def problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with a text row."""
    yield from text_problems(row)
    yield from unknown_fields(row, FIELDS, "", "TEXT-UNKNOWN-FIELD")


TEXT = RowFormat(
    name="text",
    row=Row,
    measure=measure,
    problems=problems,
    example=lambda row: Example(row.input_text, row.output_text),
    incomplete=frozenset({"prompts"}),
)
