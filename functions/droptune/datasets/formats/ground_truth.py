"""Rows of an evaluation set: ``{"prompt": "…", "ground_truth": "…"}``.

Source: "Evaluate a model with a pipeline", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..rowformat import Example, Problem, RowFormat
from .columns import measure_pairs
from .fields import text_field, unknown_fields

FIELDS = frozenset({"prompt", "ground_truth"})


class Row(msgspec.Struct, frozen=True, gc=False):
    prompt: str
    ground_truth: str


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from text_field(row, "prompt", "", "TRUTH-MISSING-PROMPT", "TRUTH-PROMPT-TYPE", "TRUTH-EMPTY-PROMPT")
    yield from text_field(row, "ground_truth", "", "TRUTH-MISSING-ANSWER", "TRUTH-ANSWER-TYPE", "TRUTH-EMPTY-ANSWER")
    yield from unknown_fields(row, FIELDS, "", "TRUTH-UNKNOWN-FIELD")


GROUND_TRUTH = RowFormat(
    name="ground_truth",
    row=Row,
    measure=measure_pairs("prompt", "ground_truth"),
    problems=_problems,
    example=lambda row: Example(row.prompt, row.ground_truth),
    incomplete=frozenset({"completion_prompts"}),
)
