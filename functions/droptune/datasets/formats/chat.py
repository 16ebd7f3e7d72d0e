"""PaLM chat rows: ``{"context"?: "…", "messages": [{"author": "user"|"assistant", "content": "…"}, …]}``.

Source: "Tune text models by using supervised tuning", Vertex AI documentation, chat section.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from ..bulk import blanks
from ..rowformat import Batch, Example, Problem, Remark, RowFormat
from .dialogue import Dialogue
from .fields import blank, excerpt, shown, unknown_fields

FIELDS = frozenset({"context", "messages"})
LEAST_PAIRS, MOST_PAIRS = 2, 3  # recommended
DIALOGUE = Dialogue("CHAT", "author", "user", "assistant", last="assistant", last_turn="CHAT-LAST-TURN")


class Turn(msgspec.Struct, frozen=True, gc=False):
    role: Literal["user", "assistant"] = msgspec.field(name="author")
    content: str


class Row(msgspec.Struct, frozen=True, gc=False):
    messages: list[Turn]
    context: str | msgspec.UnsetType = msgspec.UNSET


def context_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """The optional `context` is a text that says something."""
    if "context" not in row:
        return
    context = row["context"]
    values = {"field": "context", "found": shown(context)}
    if not isinstance(context, str):
        yield Problem("CHAT-CONTEXT-TYPE", "/context", values, excerpt(context))
    elif blank(context):
        yield Problem("CHAT-EMPTY-CONTEXT", "/context", values)


def measure_dialogues(rows: Sequence[Any], dialogue: Dialogue) -> Batch | list[int]:
    """The columns of rows with `messages` and an optional `context`, or the positions of those to look at closely."""
    batch = dialogue.measure([row.messages for row in rows])
    contexts = [row.context for row in rows]
    given = [context for context in contexts if context is not msgspec.UNSET]
    if blanks(given):
        nothing = {at for at, context in enumerate(contexts) if context is not msgspec.UNSET and blank(context)}
        return sorted(nothing if isinstance(batch, Batch) else nothing.union(batch))
    if not given or not isinstance(batch, Batch):
        return batch
    sizes = np.array([0 if context is msgspec.UNSET else len(context) for context in contexts], np.int32)
    return batch._replace(
        keys=batch.keys + (sizes > 0),
        prompt=batch.prompt + sizes,
        fields={"context": sizes[sizes > 0], **batch.fields},
    )


def measure(rows: Sequence[Row]) -> Batch | list[int]:
    """The columns of chats, or the positions of those that need a closer look."""
    return measure_dialogues(rows, DIALOGUE)


def problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with a chat row."""
    yield from context_problems(row)
    yield from DIALOGUE.problems(row)
    yield from unknown_fields(row, FIELDS, "", "CHAT-UNKNOWN-FIELD")


def remarks(batch: Batch) -> Iterator[Remark]:
    """Chats of an unusual number of pairs."""
    assert batch.turns is not None
    pairs = batch.turns // 2
    unusual = np.flatnonzero((pairs < LEAST_PAIRS) | (pairs > MOST_PAIRS))
    if len(unusual):
        first = int(unusual[0])
        values = {"found": int(pairs[first]), "least": LEAST_PAIRS, "most": MOST_PAIRS}
        yield Remark(Problem("CHAT-PAIRS", "/messages", values), first, len(unusual))


def joined(context: str | msgspec.UnsetType, turns: Sequence[Turn]) -> str:
    """Context and turns as one text."""
    texts = [turn.content for turn in turns]
    return "\n".join(texts if isinstance(context, msgspec.UnsetType) else [context, *texts])


CHAT = RowFormat(
    name="chat",
    row=Row,
    measure=measure,
    problems=problems,
    remarks=remarks,
    example=lambda row: Example(joined(row.context, row.messages[:-1]), row.messages[-1].content),
    incomplete=frozenset({"chat_prompts"}),
)
