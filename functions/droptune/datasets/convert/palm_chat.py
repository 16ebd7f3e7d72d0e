"""PaLM chat rows: a context, and messages of a user and an assistant, by author."""

from __future__ import annotations

from typing import Any

from .meaning import (
    CannotConvert,
    Conversation,
    Fields,
    Loss,
    Text,
    Turn,
    answered,
    drop_unread,
    no_tools,
    plain_system,
    plain_text,
)

READ = frozenset({"context", "messages"})
READ_OF_TURN = frozenset({"author", "content"})


def read(row: Fields, lost: set[Loss]) -> Conversation:
    """The conversation in a chat row."""
    drop_unread(row, READ, lost)
    turns, answer = answered(tuple(_turn(message, lost) for message in row["messages"]))
    return Conversation(turns, answer, system=(row["context"],) if row.get("context") else ())


def write(conversation: Conversation, lost: set[Loss]) -> dict[str, Any]:
    """The chat row of a conversation."""
    no_tools(conversation, lost)
    row: dict[str, Any] = {}
    if system := plain_system(conversation, lost):
        row["context"] = system
    row["messages"] = [{"author": _author(turn), "content": plain_text(turn, lost)} for turn in conversation.dialogue]
    return row


def _turn(message: Fields, lost: set[Loss]) -> Turn:
    drop_unread(message, READ_OF_TURN, lost)
    return Turn("assistant" if message["author"] == "assistant" else "user", (Text(message["content"]),))


def _author(turn: Turn) -> str:
    if turn.role == "tool":
        raise CannotConvert("a turn holds a function's response, and this format has text only")
    return turn.role
