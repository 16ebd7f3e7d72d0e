"""Preference rows: a prompt, two answers, and which one is better, in the four ways of writing them."""

from __future__ import annotations

from typing import Any

from . import contents, flat, messages, palm_chat
from .meaning import (
    CannotConvert,
    Conversation,
    Fields,
    Loss,
    Meaning,
    Pair,
    Reader,
    Text,
    Turn,
    Writer,
    drop_unread,
    plain_text,
)

PALM = ("candidate_0", "candidate_1", "choice")
OPENAI = ("input", "preferred_output", "non_preferred_output")


def reads_palm(prompt: Reader) -> Reader:
    """A reader of rows with candidates and a choice, given the reader of their prompts."""

    def reader(row: Fields, lost: set[Loss]) -> Conversation:
        first, second = (Turn("assistant", (Text(row[key]),)) for key in PALM[:2])
        return prompt(_without(row, PALM), lost)._replace(pair=Pair(first, second, row["choice"]))

    return reader


def writes_palm(prompt: Writer) -> Writer:
    """A writer of rows with candidates and a choice, given the writer of their prompts."""

    def writer(conversation: Conversation, lost: set[Loss]) -> dict[str, Any]:
        pair = _pair(conversation)
        row = prompt(conversation, lost)
        row["candidate_0"] = plain_text(pair.first, lost)
        row["candidate_1"] = plain_text(pair.second, lost)
        row["choice"] = pair.better
        return row

    return writer


def read_gemini(row: Fields, lost: set[Loss]) -> Conversation:
    """The conversation in a row with ``completions`` and their scores."""
    first, second = row["completions"]
    drop_unread(first, frozenset({"score", "completion"}), lost)
    drop_unread(second, frozenset({"score", "completion"}), lost)
    if {first["score"], second["score"]} != {0, 1}:
        raise CannotConvert("the scores do not say which of the two answers is better")
    answers = [contents.read_answer(one["completion"], lost) for one in (first, second)]
    better = 0 if first["score"] == 1 else 1
    return contents.read(_without(row, ("completions",)), lost)._replace(pair=Pair(answers[0], answers[1], better))


def write_gemini(conversation: Conversation, lost: set[Loss]) -> dict[str, Any]:
    """The row with ``completions`` of a conversation."""
    pair = _pair(conversation)
    row = contents.writes()(conversation, lost)
    row["completions"] = [
        {"score": int(at == pair.better), "completion": contents.write_answer(turn)}
        for at, turn in enumerate((pair.first, pair.second))
    ]
    return row


def read_openai(row: Fields, lost: set[Loss]) -> Conversation:
    """The conversation in a row with a preferred and another output; the first of the pair is the preferred one."""
    drop_unread(row, frozenset(OPENAI), lost)
    preferred, other = (messages.read_turns(row[key], lost) for key in OPENAI[1:])
    if len(preferred) != 1 or len(other) != 1:
        raise CannotConvert("an answer has several turns")
    return messages.read(row["input"], lost)._replace(pair=Pair(preferred[0], other[0], 0))


def write_openai(conversation: Conversation, lost: set[Loss]) -> dict[str, Any]:
    """The row with a preferred and another output of a conversation."""
    pair = _pair(conversation)
    outputs = (messages.write_turns([turn]) for turn in (pair.preferred, pair.other))
    return dict(zip(OPENAI, (messages.writes(functions=True)(conversation, lost), *outputs), strict=True))


def narrowed(conversation: Conversation, meaning: Meaning, lost: set[Loss]) -> Conversation:
    """As much of a conversation as rows of that meaning say."""
    if conversation.pair is not None and meaning is not Meaning.PREFERENCE:
        lost.add(Loss("worse_answer"))
        conversation = conversation._replace(pair=None, answer=conversation.pair.preferred)
    if conversation.answer is not None and meaning is Meaning.PROMPT:
        lost.add(Loss("answer"))
        lost.discard(Loss("worse_answer"))
        conversation = conversation._replace(answer=None)
    return conversation


palm_text = reads_palm(flat.reads("input_text")), writes_palm(flat.writes("input_text"))
palm_chat_pair = reads_palm(palm_chat.read), writes_palm(palm_chat.write)


def _without(row: Fields, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}


def _pair(conversation: Conversation) -> Pair:
    assert conversation.pair is not None, "conversions go from more meaning to less"
    return conversation.pair
