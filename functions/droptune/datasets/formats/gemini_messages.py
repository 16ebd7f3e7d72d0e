"""Early Gemini rows: ``{"messages": [{"role": "system"|"user"|"model", "content": "…"}, …]}``, for Gemini 1.0.

Source: "Supervised tuning of Gemini 1.0 Pro", Google Cloud blog, Gemini text tuning best practice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from ..rowformat import Example, Problem, RowFormat
from .dialogue import Dialogue
from .fields import unknown_fields

DIALOGUE = Dialogue("MESSAGES", "role", "user", "model", last="model", last_turn="MESSAGES-LAST-TURN", system="system")


class Turn(msgspec.Struct, frozen=True, gc=False):
    role: Literal["system", "user", "model"]
    content: str


class Row(msgspec.Struct, frozen=True, gc=False):
    messages: list[Turn]


def problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with an early Gemini row."""
    yield from DIALOGUE.problems(row)
    yield from unknown_fields(row, frozenset({"messages"}), "", "MESSAGES-UNKNOWN-FIELD")


def example(row: Row) -> Example:
    """The last turn is the answer, all before it the prompt."""
    return Example("\n".join(turn.content for turn in row.messages[:-1]), row.messages[-1].content)


GEMINI_MESSAGES = RowFormat(
    name="gemini_messages",
    row=Row,
    measure=lambda rows: DIALOGUE.measure([row.messages for row in rows]),
    problems=problems,
    example=example,
    incomplete=frozenset({"open_chat", "open_prompts"}),
)
