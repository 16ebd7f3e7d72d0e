"""The rules of OpenAI's ``messages``, a list of turns: their order, and which calls of tools have a result.

Source: "Supervised fine-tuning" and the reference of chat completions, OpenAI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..rowformat import Problem
from .fields import blank, excerpt, fields_of, shown
from .openai_tools import called, declared
from .openai_turns import role_of, turn_problems

SYSTEMS = frozenset({"system", "developer"})
ALTERNATING = frozenset({"user", "assistant"})


def messages_problems(row: Mapping[str, Any], at: str, last: frozenset[str], last_turn: str) -> Iterator[Problem]:
    """Everything wrong with the ``messages`` of the object at a pointer.

    `last_turn` is the code for a list that does not end with one of the roles of `last`.
    """
    if "messages" not in row:
        yield Problem("OPENAI-MISSING-MESSAGES", at, {"field": "messages", "found": fields_of(row)})
        return
    turns, at = row["messages"], f"{at}/messages"
    if not isinstance(turns, list):
        yield Problem("OPENAI-MESSAGES-TYPE", at, {"field": "messages", "found": shown(turns)}, excerpt(turns))
        return
    if not turns:
        yield Problem("OPENAI-EMPTY-MESSAGES", at, {"field": "messages", "found": "[]"})
        return
    for index, turn in enumerate(turns):
        yield from turn_problems(turn, f"{at}/{index}", index + 1)
    roles = [role_of(turn) for turn in turns]
    yield from _order(roles, at)
    if roles[-1] is not None and roles[-1] not in last:
        yield Problem(last_turn, f"{at}/{len(roles) - 1}", {"turn": len(roles), "found": shown(roles[-1])})
    yield from _calls(turns, roles, at, declared(row))


def _order(roles: Sequence[str | None], at: str) -> Iterator[Problem]:
    """Order among the turns whose role is known; the others have their own finding already."""
    for index, role in enumerate(roles):
        if index > 0 and role in SYSTEMS:
            yield Problem("OPENAI-SYSTEM-POSITION", f"{at}/{index}", {"turn": index + 1, "found": shown(role)})
    spoken = [(index, role) for index, role in enumerate(roles) if role not in SYSTEMS]
    if spoken and spoken[0][1] == "assistant":
        index, role = spoken[0]
        yield Problem("OPENAI-FIRST-TURN", f"{at}/{index}", {"turn": index + 1, "found": shown(role)})
    for (_, before), (index, role) in pairwise(spoken):
        if role == before and role in ALTERNATING:
            yield Problem("OPENAI-ROLE-ORDER", f"{at}/{index}", {"turn": index + 1, "found": shown(role)})


def _calls(turns: Sequence[Any], roles: Sequence[str | None], at: str, known: frozenset[str]) -> Iterator[Problem]:
    """Calls of tools that are not declared, results without a call, and calls without a result."""
    waiting: dict[str, str] = {}  # the ids of the calls without result so far, and the pointer of the turn with each
    answerable: frozenset[str] = frozenset()
    for index, (turn, role) in enumerate(zip(turns, roles, strict=True)):
        place = f"{at}/{index}"
        if role == "tool":
            identity = turn.get("tool_call_id") if isinstance(turn.get("tool_call_id"), str) else ""
            if not answerable:
                yield Problem("OPENAI-TOOL-ORDER", place, {"turn": index + 1, "found": shown(role)})
            elif not blank(identity) and identity not in answerable:
                yield Problem("OPENAI-TOOL-UNKNOWN", f"{place}/tool_call_id", {"found": identity})
            if identity in answerable:
                waiting.pop(identity, None)
            else:
                waiting = {}  # which call this is the result of is open
            continue
        for identity, made_at in waiting.items():
            yield Problem("OPENAI-CALL-UNANSWERED", made_at, {"found": identity})
        calls = list(called(turn)) if role == "assistant" else []
        waiting = {call.id: place for call in calls if call.id}
        answerable = frozenset(waiting)
        for call in calls:
            if call.name and call.name not in known:
                yield Problem("OPENAI-CALL-UNDECLARED", place, {"found": call.name})
