"""Repairs of conversations whose turns are one text each, or OpenAI's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .speakers import ASKING, INSTRUCTING, names_for
from .texts import Repair, Row, as_bit, as_text, says_nothing

ROLE_KEYS = ("role", "author", "from")
CONTENT_KEYS = ("content", "text", "value")
JOINED_BY = "\n\n"


def dialogue(role_key: str, names: Mapping[str, str], *, system: str | None, texts_only: bool = True) -> Repair:
    """The repair of ``messages``, given the key and the names of roles.

    `system` is the role of an instruction that stands first; where there is none, it becomes the row's ``context``.
    """

    def repair(row: Row) -> set[str]:
        if isinstance(row.get("messages"), dict):
            row["messages"] = [row["messages"]]
        turns = row.get("messages")
        if not isinstance(turns, list):
            return set()
        changes: set[str] = set()
        for turn in turns:
            if isinstance(turn, dict):
                changes |= _repair_turn(turn, role_key, names, texts_only)
        if system is None:
            changes |= _system_to_context(row, turns, role_key)
        else:
            changes |= _one_system(turns, role_key, system)
        changes |= without_empty_ends(turns, _is_empty, role_key)
        return changes | _joined(turns, role_key)

    return repair


PALM = dialogue("author", names_for("user", "assistant", None), system=None)
GEMINI = dialogue("role", names_for("user", "model", "system"), system="system")
OPEN = dialogue("role", names_for("user", "assistant", "system"), system="system", texts_only=False)
OPENAI_NAMES = names_for("user", "assistant", "system", kept=("developer", "tool", "function"))
OPENAI = dialogue("role", OPENAI_NAMES, system="system", texts_only=False)


def turns_of(field: str) -> Repair:
    """The repair of OpenAI's turns in another field, each by itself."""

    def repair(row: Row) -> set[str]:
        if isinstance(row.get(field), dict):
            row[field] = [row[field]]
        changes: set[str] = set()
        turns = row.get(field)
        for turn in turns if isinstance(turns, list) else ():
            if isinstance(turn, dict):
                changes |= _repair_turn(turn, "role", OPENAI_NAMES, False)
        return changes

    return repair


def _repair_turn(turn: Row, role_key: str, names: Mapping[str, str], texts_only: bool) -> set[str]:
    changes = _renamed(turn, role_key, ROLE_KEYS) | _renamed(turn, "content", CONTENT_KEYS)
    role = turn.get(role_key)
    meant = names.get(role.strip().lower()) if isinstance(role, str) else None
    if meant is not None and meant != role:
        turn[role_key] = meant
        changes.add("role")
    content = turn.get("content")
    if (text := as_text(content)) is not None:
        turn["content"] = text
        changes.add("text")
    elif texts_only and (text := _only_text(content)) is not None:
        turn["content"] = text
        changes.add("parts")
    if (weight := as_bit(turn.get("weight"))) is not None:
        turn["weight"] = weight
        changes.add("number")
    calls = turn.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), dict):
            function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False)
            changes.add("arguments")
    return changes


def _renamed(turn: Row, wanted: str, known: tuple[str, ...]) -> set[str]:
    """The member of that meaning gets its name, if just one other name for it is there."""
    others = [key for key in known if key in turn]
    if wanted in turn or len(others) != 1:
        return set()
    turn[wanted] = turn.pop(others[0])
    return {"turn_fields"}


def _only_text(content: Any) -> str | None:
    """The text of a content that is a list of one part."""
    part = content[0] if isinstance(content, list) and len(content) == 1 else None
    if not isinstance(part, dict) or not part.keys() <= {"type", "text"}:
        return None
    if part.get("type", "text") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    return None


def _system_to_context(row: Row, turns: list[Any], role_key: str) -> set[str]:
    context = row.get("context", "")
    if not isinstance(context, str) and not says_nothing(context):
        return set()
    instructions = []
    while turns and speaker(turns[0], role_key) in INSTRUCTING and _is_plain(turns[0], role_key):
        instructions.append(turns.pop(0)["content"])
    if not instructions:
        return set()
    before = [context] if isinstance(context, str) and context.strip() else []
    row["context"] = JOINED_BY.join([*before, *instructions])
    return {"system"}


def _one_system(turns: list[Any], role_key: str, system: str) -> set[str]:
    """Several instructions at the start become one."""
    changes: set[str] = set()
    while len(turns) > 1 and speaker(turns[0], role_key) == speaker(turns[1], role_key) == system:
        if not _join(turns, 0, role_key):
            break
        changes.add("system")
    return changes


def without_empty_ends(turns: list[Any], is_empty: Callable[[Any], bool], role_key: str) -> set[str]:
    """Empty turns are removed at the end, and at the start where the one who asks begins after them."""
    count = len(turns)
    while turns and is_empty(turns[-1]):
        del turns[-1]
    while len(turns) > 1 and is_empty(turns[0]) and speaker(turns[1], role_key) in (*ASKING, *INSTRUCTING):
        del turns[0]
    return {"empty_turn"} if len(turns) < count else set()


def _is_empty(turn: Any) -> bool:
    if not isinstance(turn, dict) or not turn.keys() <= {*ROLE_KEYS, "content"}:
        return False
    content = turn.get("content", "")
    return content is None or content == [] or (isinstance(content, str) and not content.strip())


def _joined(turns: list[Any], role_key: str) -> set[str]:
    """Neighbouring turns of one speaker become one, where they are plain texts."""
    changes: set[str] = set()
    at = 0
    while at + 1 < len(turns):
        who = speaker(turns[at], role_key)
        same = who in ("user", "assistant", "model") and who == speaker(turns[at + 1], role_key)
        if same and _join(turns, at, role_key):
            changes.add("neighbours")
        else:
            at += 1
    return changes


def _join(turns: list[Any], at: int, role_key: str) -> bool:
    first, second = turns[at], turns[at + 1]
    if not _is_plain(first, role_key) or not _is_plain(second, role_key):
        return False
    said = [content for content in (first["content"], second["content"]) if content.strip()]
    first["content"] = JOINED_BY.join(said)
    del turns[at + 1]
    return True


def _is_plain(turn: Row, role_key: str) -> bool:
    """Whether a turn has a role and a text, and nothing that would be lost without it."""
    return turn.keys() == {role_key, "content"} and isinstance(turn["content"], str)


def speaker(turn: Any, role_key: str) -> str | None:
    """The role of a turn in lower case, None without one."""
    role = turn.get(role_key) if isinstance(turn, dict) else None
    return role.strip().lower() if isinstance(role, str) else None
