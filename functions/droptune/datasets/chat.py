"""PaLM chat rows: ``{"context"?: "…", "messages": [{"author": "user"|"assistant", "content": "…"}, …]}``.

Source: "Tune text models by using supervised tuning", Vertex AI documentation, chat section.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from .dialogue import Dialogue
from .fields import excerpt, shown, unknown_fields
from .rowformat import Example, Problem, RowFormat

FIELDS = frozenset({"context", "messages"})
RECOMMENDED_PAIRS = (2, 3)
DIALOGUE = Dialogue("CHAT", "author", "user", "assistant", last="assistant", last_turn="CHAT-LAST-TURN")


class Turn(msgspec.Struct, frozen=True, gc=False):
    author: Literal["user", "assistant"]
    content: str


class Row(msgspec.Struct, frozen=True, gc=False):
    messages: list[Turn]
    context: str | msgspec.UnsetType = msgspec.UNSET


def pairs(turns: list[Turn]) -> list[tuple[str, str]]:
    """(author, content) of each turn."""
    return [(turn.author, turn.content) for turn in turns]


def context_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """The optional `context` is a text that says something."""
    context = row.get("context", " ok")
    if not isinstance(context, str):
        yield Problem("CHAT-CONTEXT-TYPE", "/context", found=shown(context), excerpt=excerpt(context))
    elif not context or context.isspace():
        yield Problem("CHAT-EMPTY-CONTEXT", "/context", found="white space only" if context else "an empty string")


def context_keys(context: str | msgspec.UnsetType) -> int | None:
    """How many keys a sound context adds to a row; None when it is blank."""
    if isinstance(context, msgspec.UnsetType):
        return 0
    return 1 if context and not context.isspace() else None


def joined(context: str | msgspec.UnsetType, turns: list[Turn]) -> str:
    """Context and turns as one text."""
    texts = [turn.content for turn in turns]
    return "\n".join(texts if isinstance(context, msgspec.UnsetType) else [context, *texts])


def _sound_keys(row: Row) -> int | None:
    optional = context_keys(row.context)
    count = len(row.messages) // 2
    if optional is None or not DIALOGUE.sound(pairs(row.messages)):
        return None
    return 1 + optional + 2 * len(row.messages) if RECOMMENDED_PAIRS[0] <= count <= RECOMMENDED_PAIRS[1] else None


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from context_problems(row)
    broken = list(DIALOGUE.problems(row))
    yield from broken
    if not broken:
        count = len(row["messages"]) // 2
        if not RECOMMENDED_PAIRS[0] <= count <= RECOMMENDED_PAIRS[1]:
            yield Problem("CHAT-PAIRS", "/messages", found="1 pair" if count == 1 else f"{count} pairs")
    yield from unknown_fields(row, FIELDS, "", "CHAT-UNKNOWN-FIELD")


CHAT = RowFormat(
    name="chat",
    format="chat",
    row=Row,
    sound_keys=_sound_keys,
    problems=_problems,
    example=lambda row: Example(joined(row.context, row.messages[:-1]), row.messages[-1].content),
    incomplete=frozenset({"prompts_chat"}),
)
