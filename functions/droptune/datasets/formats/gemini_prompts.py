"""Gemini prompts: `contents` that end with the user, for distillation, where a teacher writes the answers.

``{"contents": [{"role": "user", "parts": [{"text": "…"}]}]}``
Source: "Distill Gemini models", Vertex AI documentation.
"""

from __future__ import annotations

from ..rowformat import Example, RowFormat
from .contents import Conversation, Row, UsualRow, joined
from .contents_columns import measure_asked

CONVERSATION = Conversation(answers="model", last="user", last_turn="GEMINI-PROMPT-LAST-TURN")

GEMINI_PROMPTS = RowFormat(
    name="gemini_prompts",
    row=Row,
    measure=measure_asked(CONVERSATION),
    problems=CONVERSATION.problems,
    example=lambda row: Example(joined(row, row.contents), ""),
    has_answer=False,
    incomplete=frozenset({"gemini_contents"}),
    usual=UsualRow,
)
