"""Gemini rows: `contents` that end with the model's answer, for supervised tuning of Gemini 1.5 and later.

``{"contents": [{"role": "user", "parts": [{"text": "…"}]}, {"role": "model", "parts": [{"text": "…"}]}]}``
Source: "About supervised fine-tuning for Gemini models", Vertex AI documentation.
"""

from __future__ import annotations

from ..rowformat import Example, RowFormat
from .contents import Conversation, Row, UsualRow, joined
from .contents_columns import measure_answered
from .parts import Part, said

__all__ = ["GEMINI_CONTENTS", "Part", "Row", "answered"]

CONVERSATION = Conversation(answers="model", last="model", last_turn="GEMINI-LAST-TURN")


def answered(row: Row) -> Example:
    """A row whose last turn is its answer."""
    return Example(joined(row, row.contents[:-1]), said(row.contents[-1].parts))


GEMINI_CONTENTS = RowFormat(
    name="gemini_contents",
    row=Row,
    measure=measure_answered(CONVERSATION),
    problems=CONVERSATION.problems,
    example=answered,
    incomplete=frozenset({"open_contents", "gemini_prompts"}),
    usual=UsualRow,
)
