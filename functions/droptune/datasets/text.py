"""Text rows: ``{"input_text": "…", "output_text": "…"}``, for PaLM text and code models.

Source: "Tune text models by using supervised tuning", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from .fields import text_field, unknown_fields
from .rowformat import Example, Problem, RowFormat

FIELDS = frozenset({"input_text", "output_text"})


class Row(msgspec.Struct, frozen=True, gc=False):
    input_text: str
    output_text: str


def _sound_keys(row: Row) -> int | None:
    source, target = row.input_text, row.output_text
    return 2 if source and target and not source.isspace() and not target.isspace() else None


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from text_field(row, "input_text", "", "TEXT-MISSING-INPUT", "TEXT-INPUT-TYPE", "TEXT-EMPTY-INPUT")
    yield from text_field(row, "output_text", "", "TEXT-MISSING-OUTPUT", "TEXT-OUTPUT-TYPE", "TEXT-EMPTY-OUTPUT")
    yield from unknown_fields(row, FIELDS, "", "TEXT-UNKNOWN-FIELD")


TEXT = RowFormat(
    name="text",
    format="text",
    row=Row,
    sound_keys=_sound_keys,
    problems=_problems,
    example=lambda row: Example(row.input_text, row.output_text),
    incomplete=frozenset({"prompts"}),
)
