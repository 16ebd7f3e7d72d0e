"""Rows in the shape of a Gemini request: ``contents`` of parts, a ``systemInstruction``, ``tools``.

Functions answer in a turn of the user; open models call the model `assistant`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..formats.parts import spelling, with_spellings
from .functions import from_gemini, to_gemini
from .meaning import (
    Call,
    CannotConvert,
    Conversation,
    Fields,
    Loss,
    Media,
    Part,
    Reader,
    Result,
    Text,
    Turn,
    Writer,
    answered,
    drop_unread,
)

READ = with_spellings("contents", "systemInstruction", "tools")
READ_OF_TURN = frozenset({"role", "parts"})
_READ_OF_PART = with_spellings("text", "inlineData", "fileData", "functionCall", "functionResponse")


def read(row: Fields, lost: set[Loss]) -> Conversation:
    """The conversation in a row with ``contents``."""
    drop_unread(row, READ, lost)
    turns, answer = answered(tuple(turn for content in row["contents"] for turn in _turns(content, lost)))
    return Conversation(turns, answer, system=_system(row), tools=from_gemini(row.get("tools") or (), lost))


def writes(answers: str = "model") -> Writer:
    """A writer of rows with ``contents``, given the role of the answers."""

    def writer(conversation: Conversation, lost: set[Loss]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        if conversation.system:
            row["systemInstruction"] = {"role": "system", "parts": [{"text": text} for text in conversation.system]}
        row["contents"] = list(_contents(conversation.dialogue, answers))
        if conversation.tools:
            row["tools"] = to_gemini(conversation.tools, lost)
        return row

    return writer


def reads_request() -> Reader:
    """A reader of batch requests: the same, one level down."""

    def reader(row: Fields, lost: set[Loss]) -> Conversation:
        drop_unread(row, frozenset({"request"}), lost)
        return read(row["request"], lost)

    return reader


def writes_request() -> Writer:
    """A writer of batch requests."""
    write = writes()
    return lambda conversation, lost: {"request": write(conversation, lost)}


def read_reinforcement(row: Fields, lost: set[Loss]) -> Conversation:
    """The prompt in a row whose answers are scored by a program; what the program compares with is lost."""
    lost.add(Loss("references"))
    return read({key: value for key, value in row.items() if key != "references"}, lost)


def read_answer(content: Fields, lost: set[Loss]) -> Turn:
    """A single answer."""
    turns = list(_turns(content, lost))
    if len(turns) != 1:
        raise CannotConvert("an answer holds a function's response beside other parts")
    return turns[0]._replace(role="assistant")


def write_answer(turn: Turn) -> dict[str, Any]:
    """A single answer."""
    return {"role": "model", "parts": [_written(part) for part in turn.parts]}


def _system(row: Fields) -> tuple[str, ...]:
    system = _member(row, "systemInstruction")
    return tuple(part["text"] for part in system["parts"]) if system else ()


def _turns(content: Fields, lost: set[Loss]) -> Iterator[Turn]:
    """The turn of a content; two where functions answer and the user goes on in the same breath."""
    drop_unread(content, READ_OF_TURN, lost)
    parts = tuple(_part(part, lost) for part in content["parts"])
    if content.get("role", "user") in ("model", "assistant"):
        yield Turn("assistant", parts)
        return
    results = tuple(part for part in parts if isinstance(part, Result))
    if results:
        yield Turn("tool", results)
    if rest := tuple(part for part in parts if not isinstance(part, Result)):
        yield Turn("user", rest)


def _part(part: Fields, lost: set[Loss]) -> Part:
    drop_unread(part, _READ_OF_PART, lost)
    if "text" in part:
        return Text(part["text"])
    if data := _member(part, "inlineData"):
        return Media(_member(data, "mimeType"), data["data"], None)
    if file := _member(part, "fileData"):
        return Media(_member(file, "mimeType"), None, _member(file, "fileUri"))
    if call := _member(part, "functionCall"):
        if "id" in call:
            lost.add(Loss("call_ids"))
        return Call(call["name"], call.get("args") or {})
    if result := _member(part, "functionResponse"):
        return Result(result["name"], result.get("response") or {})
    raise CannotConvert(f"a part is of a kind that only Gemini has: {', '.join(part) or 'an empty one'}")


def _member(given: Fields, name: str) -> Any:
    """A member in either of its spellings, None without it."""
    key = spelling(given, name)
    return None if key is None else given[key]


def _contents(turns: tuple[Turn, ...], answers: str) -> Iterator[dict[str, Any]]:
    """The contents of turns; responses of functions and what the user says after them are one turn of the user."""
    waiting: list[dict[str, Any]] = []
    for at, turn in enumerate(turns):
        parts = [_written(part) for part in turn.parts]
        if turn.role == "tool" and at + 1 < len(turns) and turns[at + 1].role == "user":
            waiting = parts
            continue
        yield {"role": answers if turn.role == "assistant" else "user", "parts": waiting + parts}
        waiting = []


def _written(part: Part) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"text": text}
        case Media(mime_type, None, uri):
            return {"fileData": {"mimeType": mime_type, "fileUri": uri}}
        case Media(mime_type, data, _):
            return {"inlineData": {"mimeType": mime_type, "data": data}}
        case Call(name, arguments):
            return {"functionCall": {"name": name, "args": dict(arguments)}}
        case Result(name, response):
            return {"functionResponse": {"name": name, "response": dict(response)}}
