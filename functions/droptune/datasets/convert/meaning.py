"""What a row says, whatever its format: a conversation, its answer, or a choice between two answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Literal, NamedTuple

Fields = Mapping[str, Any]


class Meaning(IntEnum):
    """How much a format's rows say. Each holds the ones before it, so a conversion can only go down or stay."""

    PROMPT = 1  # what is asked
    ANSWER = 2  # and the right answer
    PREFERENCE = 3  # and an answer that is worse


class Text(NamedTuple):
    text: str


class Media(NamedTuple):
    """A picture, sound or document: base64 `data`, or the `uri` where it lies."""

    mime_type: str
    data: str | None
    uri: str | None


class Call(NamedTuple):
    """The model calls a function."""

    name: str
    arguments: Fields


class Result(NamedTuple):
    """What a function gave back."""

    name: str
    response: Fields


Part = Text | Media | Call | Result


class Turn(NamedTuple):
    role: Literal["user", "assistant", "tool"]
    parts: tuple[Part, ...]


class Pair(NamedTuple):
    """Two answers in the order of the row, and the position of the better one."""

    first: Turn
    second: Turn
    better: int

    @property
    def preferred(self) -> Turn:
        return self.second if self.better else self.first

    @property
    def other(self) -> Turn:
        return self.first if self.better else self.second


class Conversation(NamedTuple):
    """A row's whole meaning: `turns` are what is asked, without the answers.

    `tools` are the functions that the model may call, each as OpenAI and JSON Schema describe one: a name, a
    description, parameters.
    """

    turns: tuple[Turn, ...]
    answer: Turn | None = None
    pair: Pair | None = None
    system: tuple[str, ...] = ()
    tools: tuple[Fields, ...] = ()

    @property
    def dialogue(self) -> tuple[Turn, ...]:
        """What is asked, followed by the answer if there is one."""
        return self.turns if self.answer is None else (*self.turns, self.answer)


class Loss(NamedTuple):
    """Something that the other format has no place for: a key of `LOSSES`, and the field's name where it needs one."""

    kind: str
    name: str = ""


# What is lost, as the user is told. None of them makes a row unusable.
LOSSES: Mapping[str, str] = {
    "answer": "the answer is dropped: these are prompts",
    "worse_answer": "the worse of the two answers is dropped",
    "rationale": "the rationale of the answer is dropped",
    "references": "the references of the answer are dropped",
    "system_folded": "the system instruction becomes the start of the prompt, which is not the same for a model",
    "parts_joined": "several parts of a turn become one text",
    "tools": "the functions that the model may call are dropped: no row calls one here",
    "other_tools": "tools that are no functions (search, code execution) are dropped",
    "schema": "the parameters of functions lose schema keywords that Gemini does not read",
    "call_ids": "the ids of function calls are given anew, in order",
    "weight": "`weight` is dropped: every answer is trained on, those of weight 0 too",
    "image_detail": "`detail` of images is dropped",
    "field": "the field is dropped",
}


class CannotConvert(Exception):
    """This row has no form in the other format; the message says why."""


Reader = Callable[[Fields, set[Loss]], Conversation]
Writer = Callable[[Conversation, set[Loss]], dict[str, Any]]


def drop_unread(row: Fields, read: frozenset[str], lost: set[Loss]) -> None:
    """Note every field that a reader passes over."""
    if not row.keys() <= read:
        lost.update(Loss("field", key) for key in row.keys() - read)


def answered(dialogue: tuple[Turn, ...]) -> tuple[tuple[Turn, ...], Turn | None]:
    """What is asked, and the answer if the last turn is one."""
    if dialogue and dialogue[-1].role == "assistant":
        return dialogue[:-1], dialogue[-1]
    return dialogue, None


def plain_text(turn: Turn, lost: set[Loss]) -> str:
    """A turn's only text, or its parts joined as Gemini reads them; CannotConvert when it holds more than text."""
    texts = [part.text for part in turn.parts if isinstance(part, Text)]
    if len(texts) < len(turn.parts):
        raise CannotConvert(f"a turn holds {_other(turn)}, and this format has text only")
    if len(texts) == 1:
        return texts[0]
    lost.add(Loss("parts_joined"))
    return "".join(texts)


def plain_system(conversation: Conversation, lost: set[Loss]) -> str:
    """The system instruction as one text, empty when there is none."""
    if len(conversation.system) > 1:
        lost.add(Loss("parts_joined"))
    return "\n\n".join(conversation.system)


def no_tools(conversation: Conversation, lost: set[Loss]) -> None:
    """Note the functions that a format without any leaves out."""
    if conversation.tools:
        lost.add(Loss("tools"))


def _other(turn: Turn) -> str:
    names = {Media: "a picture, sound or document", Call: "a function call", Result: "a function's response"}
    return next(names[type(part)] for part in turn.parts if not isinstance(part, Text))
