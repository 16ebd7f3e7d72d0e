"""One turn of OpenAI's rows for chat and for preferences: its type and its rules.

Source: "Supervised fine-tuning" and the reference of chat completions, OpenAI documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, Literal

import msgspec

from ..rowformat import Batch, Problem, Values
from .content_parts import TEXT, TEXT_AND_IMAGES, parts_problems, said
from .dialogue import Dialogue
from .fields import blank, excerpt, fields_of, shown, text_field, unknown_fields
from .openai_tools import calls_problems

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
ASSISTANT_FIELDS = ("tool_calls", "function_call", "weight", "refusal")
RARE = ("name", "tool_call_id", *ASSISTANT_FIELDS)
FIELDS = frozenset({"role", "content", *RARE})
# Reads the names that other families give to roles, and the columns of rows of texts alone.
DIALOGUE = Dialogue("OPENAI", "role", "user", "assistant", "assistant", "OPENAI-LAST-TURN", system="system")
_PLAIN = (msgspec.UNSET,) * len(RARE)
_rare = attrgetter(*RARE)


class Turn(msgspec.Struct, frozen=True):
    """The fields that few turns have are not typed: only the closer look at a row reads them."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Any] | None = None
    name: Any = msgspec.UNSET
    tool_call_id: Any = msgspec.UNSET
    tool_calls: Any = msgspec.UNSET
    function_call: Any = msgspec.UNSET
    weight: Any = msgspec.UNSET
    refusal: Any = msgspec.UNSET


def plain(turns: Sequence[Turn]) -> bool:
    """Whether no turn has any of the rare fields."""
    return list(map(_rare, turns)).count(_PLAIN) == len(turns)


def texts_of(dialogues: Iterable[Sequence[Turn]]) -> list[str]:
    """The contents of all turns, empty where they are no text."""
    return [turn.content if isinstance(turn.content, str) else "" for turns in dialogues for turn in turns]


def measure_turns(dialogues: Sequence[Sequence[Turn]], last: str) -> Batch | list[int]:
    """The columns of lists of plain turns that end with `last`, or the positions of those for a closer look."""
    # The rows of one file mostly call the instruction by one name; those that do not are only judged more slowly.
    first = dialogues[0][0].role if dialogues and dialogues[0] else "system"
    dialogue = replace(DIALOGUE, last=last, system="developer" if first == "developer" else "system")
    return dialogue.measure(dialogues, texts_of(dialogues))


def said_by(turn: Turn) -> str:
    """What a turn says or, when it says nothing, what it calls, as one text."""
    if turn.content:
        return said(turn.content)
    instead = next((value for value in (turn.tool_calls, turn.function_call, turn.refusal) if value), "")
    return instead if isinstance(instead, str) else msgspec.json.encode(instead).decode()


def role_of(turn: Any) -> str | None:
    """The role that a turn has or, where it has another family's name, is meant to have; None when it has none."""
    role = turn.get("role") if isinstance(turn, dict) else None
    if not isinstance(role, str):
        return None
    return role if role in ROLES else DIALOGUE.meant(role)


def turn_problems(turn: Any, at: str, number: int) -> Iterator[Problem]:
    """Everything wrong with one turn at a pointer, wherever it stands; `number` counts from 1."""
    if not isinstance(turn, dict):
        yield Problem("OPENAI-TURN-TYPE", at, {"turn": number, "found": shown(turn)}, excerpt(turn))
        return
    role = role_of(turn)
    if role is None or role != turn["role"]:
        yield _role_problem(turn, at, number, role)
    yield from _assistant(turn, at) if role == "assistant" else _other(turn, at, role)
    name = turn.get("name")
    if name is not None and (not isinstance(name, str) or blank(name)):
        yield Problem("OPENAI-NAME", f"{at}/name", {"field": "name", "found": shown(name)}, excerpt(name))
    yield from unknown_fields(turn, FIELDS, at, "OPENAI-UNKNOWN-FIELD")


def _role_problem(turn: Mapping[str, Any], at: str, number: int, meant: str | None) -> Problem:
    if "role" not in turn:
        return Problem("OPENAI-MISSING-ROLE", at, {"turn": number, "field": "role", "found": fields_of(turn)})
    values: Values = {"turn": number, "field": "role", "found": shown(turn["role"])}
    at = f"{at}/role"
    if not isinstance(turn["role"], str):
        return Problem("OPENAI-ROLE-TYPE", at, values, excerpt(turn["role"]))
    if meant is None:
        return Problem("OPENAI-ROLE", at, values, excerpt(turn["role"]))
    return Problem("OPENAI-ROLE-NAME", at, {**values, "role": meant})


def _other(turn: Mapping[str, Any], at: str, role: str | None) -> Iterator[Problem]:
    """A turn of anyone but the assistant."""
    yield from _content(turn, at, TEXT_AND_IMAGES if role == "user" else TEXT)
    if role is not None:
        for field in ASSISTANT_FIELDS:
            if turn.get(field) is not None:
                yield Problem("OPENAI-ASSISTANT-ONLY", f"{at}/{field}", {"field": field, "found": role})
    if role == "function":
        yield Problem("OPENAI-DEPRECATED", f"{at}/role", {"found": "function", "new": "tool"})
        if turn.get("name") is None:
            yield Problem("OPENAI-FUNCTION-NAME", at, {"field": "name", "found": fields_of(turn)})
    if role == "tool":
        identity = turn.get("tool_call_id")
        if not isinstance(identity, str) or blank(identity):
            found = shown(identity) if "tool_call_id" in turn else fields_of(turn)
            yield Problem("OPENAI-TOOL-CALL-ID", at, {"field": "tool_call_id", "found": found})


def _content(turn: Mapping[str, Any], at: str, allowed: frozenset[str]) -> Iterator[Problem]:
    if isinstance(turn.get("content"), list):
        yield from parts_problems(turn["content"], f"{at}/content", "OPENAI", allowed)
    else:
        codes = "OPENAI-MISSING-CONTENT", "OPENAI-CONTENT-TYPE", "OPENAI-EMPTY-CONTENT"
        yield from text_field(turn, "content", at, *codes)


def _assistant(turn: Mapping[str, Any], at: str) -> Iterator[Problem]:
    content, refusal = turn.get("content"), turn.get("refusal")
    instead = any(turn.get(field) for field in ("tool_calls", "function_call", "refusal"))
    if content is None and not instead:
        yield Problem("OPENAI-NOTHING-SAID", at, {"found": fields_of(turn)})
    elif content is not None and not (content == "" and instead):
        yield from _content(turn, at, TEXT | {"refusal"})
    if refusal is not None and (not isinstance(refusal, str) or blank(refusal)):
        values: Values = {"field": "refusal", "found": shown(refusal)}
        yield Problem("OPENAI-REFUSAL", f"{at}/refusal", values, excerpt(refusal))
    yield from calls_problems(turn, at)
    if "weight" in turn:
        yield from _weight(turn["weight"], f"{at}/weight")


def _weight(weight: Any, at: str) -> Iterator[Problem]:
    if isinstance(weight, bool) or not isinstance(weight, int | float | None):
        yield Problem("OPENAI-WEIGHT-TYPE", at, {"field": "weight", "found": shown(weight)}, excerpt(weight))
    elif weight not in (None, 0, 1):
        yield Problem("OPENAI-WEIGHT", at, {"field": "weight", "found": shown(weight)})
