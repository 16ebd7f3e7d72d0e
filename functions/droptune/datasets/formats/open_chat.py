"""Open-model rows: ``{"messages": [{"role": "system"|"user"|"assistant", "content": text or parts}, …]}``.

`OPEN_CHAT` ends with the assistant and is tuned on; `OPEN_PROMPTS` ends with the user, and a teacher answers.
Source: "Tune an open model", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from ..rowformat import Batch, Example, Problem, RowFormat
from .content_parts import TEXT_AND_IMAGES, parts_problems, said
from .dialogue import Dialogue
from .fields import unknown_fields

_dialogue = partial(Dialogue, "OPEN", "role", "user", "assistant", system="system")
CHAT = _dialogue(last="assistant", last_turn="OPEN-LAST-TURN")
PROMPTS = _dialogue(last="user", last_turn="OPEN-PROMPT-LAST-TURN")


class Turn(msgspec.Struct, frozen=True, gc=False):
    role: Literal["system", "user", "assistant"]
    content: str | list[Any]


class Row(msgspec.Struct, frozen=True, gc=False):
    messages: list[Turn]


def _measure(dialogue: Dialogue) -> Callable[[Sequence[Row]], Batch | list[int]]:
    def measure(rows: Sequence[Row]) -> Batch | list[int]:
        dialogues = [row.messages for row in rows]
        # To the dialogue, parts say nothing: their rows need a closer look.
        texts = [turn.content if isinstance(turn.content, str) else "" for turns in dialogues for turn in turns]
        return dialogue.measure(dialogues, texts)

    return measure


def _problems(dialogue: Dialogue) -> Callable[[Mapping[str, Any]], Iterator[Problem]]:
    def problems(row: Mapping[str, Any]) -> Iterator[Problem]:
        turns = row.get("messages")
        if isinstance(turns, list):
            for index, turn in enumerate(turns):
                parts = turn.get("content") if isinstance(turn, dict) else None
                if isinstance(parts, list):
                    yield from parts_problems(parts, f"/messages/{index}/content", "OPEN", TEXT_AND_IMAGES)
            row = {**row, "messages": list(map(_with_text, turns))}
        yield from dialogue.problems(row)
        yield from unknown_fields(row, frozenset({"messages"}), "", "OPEN-UNKNOWN-FIELD")

    return problems


def _with_text(turn: Any) -> Any:
    """The turn with some text in place of parts, which are judged apart from the dialogue."""
    return {**turn, "content": "parts"} if isinstance(turn, dict) and isinstance(turn.get("content"), list) else turn


def _joined(turns: Sequence[Turn]) -> str:
    return "\n".join(said(turn.content) for turn in turns)


OPEN_CHAT = RowFormat(
    name="open_chat",
    row=Row,
    measure=_measure(CHAT),
    problems=_problems(CHAT),
    example=lambda row: Example(_joined(row.messages[:-1]), said(row.messages[-1].content)),
    incomplete=frozenset({"open_prompts"}),
)
OPEN_PROMPTS = RowFormat(
    name="open_prompts",
    row=Row,
    measure=_measure(PROMPTS),
    problems=_problems(PROMPTS),
    example=lambda row: Example(_joined(row.messages), ""),
    has_answer=False,
    incomplete=frozenset({"open_chat"}),
)
