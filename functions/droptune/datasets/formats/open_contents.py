"""Rows of `contents` for open models: those of Gemini, with `assistant` in the place of `model`.

``{"contents": [{"role": "user", "parts": [{"text": "…"}]}, {"role": "assistant", "parts": [{"text": "…"}]}]}``
Source: "Tune an open model", Vertex AI documentation.
"""

from __future__ import annotations

from ..rowformat import RowFormat
from .contents import Conversation, Row
from .contents_columns import measure_answered
from .gemini_contents import answered

CONVERSATION = Conversation(answers="assistant", last="assistant", last_turn="GEMINI-LAST-TURN")

OPEN_CONTENTS = RowFormat(
    name="open_contents",
    row=Row,
    measure=measure_answered(CONVERSATION),
    problems=CONVERSATION.problems,
    example=answered,
    incomplete=frozenset({"gemini_contents", "gemini_prompts"}),
)
