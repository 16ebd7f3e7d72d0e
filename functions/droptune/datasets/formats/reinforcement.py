"""Reinforcement rows: a prompt, and references that the reward function compares the model's answer with.

``{"contents": [{"role": "user", "parts": [{"text": "6 × 7?"}]}], "references": {"answer": "42"}}``
Source: "Reinforcement tuning for Gemini models", Vertex AI documentation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ..rowformat import Batch, Example, Problem, RowFormat
from .contents import Conversation, Conversed, joined
from .contents_columns import asked_batch, doubtful, read
from .fields import blank, escaped, excerpt, fields_of, shown
from .parts import media_types

CONVERSATION = Conversation(answers="model", last="user", last_turn="RL-LAST-TURN", unknown="RL-UNKNOWN-FIELD")
# How many files of a kind, by the first word of their MIME type, one row may have.
MAX_MEDIA: Mapping[str, int] = {"image": 15, "audio": 15, "video": 10}


class Row(Conversed, frozen=True, gc=False, kw_only=True):
    references: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


def measure(rows: Sequence[Any]) -> Batch | list[int]:
    """The columns of prompts of text, or the positions of rows to look at."""
    columns = read(rows, CONVERSATION)
    references = [row.references for row in rows]
    wrong = {at for at, given in enumerate(references) if next(reference_problems(given), None) is not None}
    if columns is None or wrong:
        return sorted(wrong.union(doubtful(rows, CONVERSATION)))
    named = np.array([1 + len(given) for given in references], np.int32)
    return asked_batch(columns._replace(keys=columns.keys + named))


def problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with a reinforcement row."""
    yield from CONVERSATION.problems(row, frozenset({"references"}))
    if "references" not in row:
        yield Problem("RL-MISSING-REFERENCES", "", {"found": fields_of(row)})
    else:
        yield from reference_problems(row["references"])
    yield from _media_problems(row.get("contents"))


def reference_problems(references: Any) -> Iterator[Problem]:
    """Everything wrong with the references of a row."""
    at = "/references"
    if not isinstance(references, dict):
        yield Problem("RL-REFERENCES-TYPE", at, {"found": shown(references)}, excerpt(references))
        return
    if not references:
        yield Problem("RL-EMPTY-REFERENCES", at)
    for key, value in references.items():
        if blank(key):
            yield Problem("RL-REFERENCE-NO-NAME", at, {"found": shown(key)})
        elif not key.isidentifier() and not _NAME_BREAKERS.isdisjoint(key):
            yield Problem("RL-REFERENCE-NAME", f"{at}/{escaped(key)}", {"found": excerpt(key)})
        if not isinstance(value, str):
            yield Problem("RL-REFERENCE-TYPE", f"{at}/{escaped(key)}", {"field": excerpt(key), "found": shown(value)})
        elif blank(value):
            yield Problem("RL-EMPTY-REFERENCE", f"{at}/{escaped(key)}", {"field": excerpt(key), "found": shown(value)})


# Characters that end a name in a placeholder such as {{references.answer}}.
_NAME_BREAKERS = frozenset("{}. \t\n")


def _media_problems(contents: Any) -> Iterator[Problem]:
    """More files than one row may have."""
    counts: Counter[str] = Counter()
    for turn in contents if isinstance(contents, list) else ():
        parts = turn.get("parts") if isinstance(turn, dict) else None
        for part in parts if isinstance(parts, list) else ():
            counts.update(mime_type.partition("/")[0] for mime_type in media_types(part))
    for kind, most in MAX_MEDIA.items():
        if counts[kind] > most:
            yield Problem("RL-TOO-MANY-MEDIA", "/contents", {"found": counts[kind], "kind": kind, "most": most})


REINFORCEMENT = RowFormat(
    name="reinforcement",
    row=Row,
    measure=measure,
    problems=problems,
    example=lambda row: Example(joined(row, row.contents), ""),
    has_answer=False,
    incomplete=frozenset({"gemini_prompts"}),
)
