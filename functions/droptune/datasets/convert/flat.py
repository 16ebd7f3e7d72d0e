"""Rows of one prompt and one answer as two texts: PaLM text, completions, evaluation sets, and prompts alone."""

from __future__ import annotations

from typing import Any

from .meaning import (
    CannotConvert,
    Conversation,
    Fields,
    Loss,
    Reader,
    Text,
    Turn,
    Writer,
    drop_unread,
    no_tools,
    plain_system,
    plain_text,
)

RATIONALE = "rationale"


def reads(prompt: str, answer: str | None = None) -> Reader:
    """A reader of rows with these fields."""
    read = frozenset({prompt, RATIONALE} if answer is None else {prompt, answer, RATIONALE})

    def reader(row: Fields, lost: set[Loss]) -> Conversation:
        drop_unread(row, read, lost)
        if RATIONALE in row:
            lost.add(Loss("rationale"))
        asked = (Turn("user", (Text(row[prompt]),)),)
        return Conversation(asked, None if answer is None else Turn("assistant", (Text(row[answer]),)))

    return reader


def writes(prompt: str, answer: str | None = None) -> Writer:
    """A writer of rows with these fields."""

    def writer(conversation: Conversation, lost: set[Loss]) -> dict[str, Any]:
        row = {prompt: asked(conversation, lost)}
        if answer is not None:
            assert conversation.answer is not None, "conversions go from more meaning to less"
            row[answer] = plain_text(conversation.answer, lost)
        return row

    return writer


def asked(conversation: Conversation, lost: set[Loss]) -> str:
    """All that is asked as one text: the user's only turn, behind the system instruction."""
    no_tools(conversation, lost)
    if len(conversation.turns) != 1:
        raise CannotConvert(f"{len(conversation.turns)} turns come before the answer, and this format has one prompt")
    prompt = plain_text(conversation.turns[0], lost)
    if system := plain_system(conversation, lost):
        lost.add(Loss("system_folded"))
        return f"{system}\n\n{prompt}"
    return prompt
