"""Completion rows of open models: ``{"prompt": "…", "completion": "…"}``, and prompts alone.

Source: "Tune an open model", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..rowformat import Example, Problem, RowFormat
from .columns import measure_pairs, measure_prompts
from .fields import text_field, unknown_fields


class Row(msgspec.Struct, frozen=True, gc=False):
    prompt: str
    completion: str


class Prompt(msgspec.Struct, frozen=True, gc=False):
    prompt: str


def _prompt(row: Mapping[str, Any]) -> Iterator[Problem]:
    codes = "COMPLETION-MISSING-PROMPT", "COMPLETION-PROMPT-TYPE", "COMPLETION-EMPTY-PROMPT"
    return text_field(row, "prompt", "", *codes)


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _prompt(row)
    codes = "COMPLETION-MISSING-COMPLETION", "COMPLETION-COMPLETION-TYPE", "COMPLETION-EMPTY-COMPLETION"
    yield from text_field(row, "completion", "", *codes)
    yield from unknown_fields(row, frozenset({"prompt", "completion"}), "", "COMPLETION-UNKNOWN-FIELD")


def _prompt_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _prompt(row)
    yield from unknown_fields(row, frozenset({"prompt"}), "", "COMPLETION-UNKNOWN-FIELD")


COMPLETION = RowFormat(
    name="completion",
    row=Row,
    measure=measure_pairs("prompt", "completion"),
    problems=_problems,
    example=lambda row: Example(row.prompt, row.completion),
    incomplete=frozenset({"completion_prompts"}),
)
COMPLETION_PROMPTS = RowFormat(
    name="completion_prompts",
    row=Prompt,
    measure=measure_prompts("prompt"),
    problems=_prompt_problems,
    example=lambda row: Example(row.prompt, ""),
    has_answer=False,
)
