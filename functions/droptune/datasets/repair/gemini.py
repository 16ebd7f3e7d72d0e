"""Repairs of rows with ``contents``: names in snake case, texts that stand where parts should, roles, systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .dialogues import JOINED_BY, speaker, without_empty_ends
from .speakers import INSTRUCTING, names_for
from .texts import Repair, Row, as_bit, as_text, says_nothing, texts

# As protocol buffers name the members that JSON has in camel case.
CAMEL: Mapping[str, str] = {
    "system_instruction": "systemInstruction",
    "generation_config": "generationConfig",
    "safety_settings": "safetySettings",
    "tool_config": "toolConfig",
    "function_declarations": "functionDeclarations",
    "file_data": "fileData",
    "inline_data": "inlineData",
    "function_call": "functionCall",
    "function_response": "functionResponse",
    "video_metadata": "videoMetadata",
    "mime_type": "mimeType",
    "file_uri": "fileUri",
}
_NAMES_OF_SYSTEM = ("systemInstruction", "generationConfig", "safetySettings", "toolConfig")
_IN_ROW = frozenset(key for key, name in CAMEL.items() if name in _NAMES_OF_SYSTEM)
_TURN = frozenset({"role", "parts"})
_MEDIA = ("fileData", "inlineData")


def contents(answers: str) -> Repair:
    """The repair of ``contents`` and what stands beside them, given the role of the answers."""
    names = names_for("user", answers, None, kept=("function",))

    def repair(row: Row) -> set[str]:
        changes = _camel(row, _IN_ROW)
        changes |= _instruction(row) | _tools(row)
        if isinstance(row.get("contents"), dict):
            row["contents"] = [row["contents"]]
            changes.add("parts")
        turns = row.get("contents")
        if not isinstance(turns, list):
            return changes
        for turn in turns:
            if isinstance(turn, dict):
                changes |= repair_content(turn) | _role(turn, names)
        changes |= _system_turns(row, turns)
        changes |= without_empty_ends(turns, _is_empty, "role")
        return changes | _joined(turns, answers)

    return repair


def completions(row: Row) -> set[str]:
    """Repair the ``completions`` of a preference row."""
    changes: set[str] = set()
    given = row.get("completions")
    names = names_for("user", "model", None)
    for one in given if isinstance(given, list) else ():
        if not isinstance(one, dict):
            continue
        if (score := as_bit(one.get("score"))) is not None:
            one["score"] = score
            changes.add("number")
        if isinstance(one.get("completion"), str):
            one["completion"] = {"role": "model", "parts": [{"text": one["completion"]}]}
            changes.add("parts")
        completion = one.get("completion")
        if isinstance(completion, dict):
            changes |= repair_content(completion)
            if "role" not in completion:
                completion["role"] = "model"
                changes.add("role")
            changes |= _role(completion, names)
    return changes


def repair_content(content: Row) -> set[str]:
    """Repair the parts of a turn or of an instruction."""
    changes: set[str] = set()
    for key in ("content", "text"):
        if "parts" not in content and isinstance(content.get(key), str):
            content["parts"] = [{"text": content.pop(key)}]
            changes.add("parts")
    parts = content.get("parts")
    if isinstance(parts, str | dict):
        content["parts"] = parts = [parts]
        changes.add("parts")
    if not isinstance(parts, list):
        return changes
    for at, part in enumerate(parts):
        if isinstance(part, str):
            parts[at] = {"text": part}
            changes.add("parts")
        elif isinstance(part, dict):
            changes |= _part(part)
    said = [part for part in parts if not _is_blank(part)]
    if said and len(said) < len(parts):
        content["parts"] = said
        changes.add("empty_part")
    return changes


def _part(part: Row) -> set[str]:
    changes = _camel(part, CAMEL.keys())
    for kind in _MEDIA:
        if isinstance(part.get(kind), dict):
            changes |= _camel(part[kind], CAMEL.keys())
    if (text := as_text(part.get("text"))) is not None:
        part["text"] = text
        changes.add("text")
    if part.keys() - {"text"} and "text" in part and says_nothing(part["text"]):
        del part["text"]  # beside a call or a file, which is what the part is
        changes.add("empty_part")
    return changes


def _camel(given: Row, names: Any) -> set[str]:
    snake = [key for key in given if key in names and CAMEL[key] not in given]
    for key in snake:
        given[CAMEL[key]] = given.pop(key)
    return {"snake_case"} if snake else set()


def _instruction(row: Row) -> set[str]:
    if "systemInstruction" not in row:
        return set()
    changes: set[str] = set()
    if isinstance(row["systemInstruction"], str):
        row["systemInstruction"] = {"role": "system", "parts": [{"text": row["systemInstruction"]}]}
        changes.add("parts")
    system = row["systemInstruction"]
    if isinstance(system, dict):
        changes |= repair_content(system)
        if "role" in system and not isinstance(system["role"], str):
            del system["role"]  # which nothing reads
            changes.add("role")
    if isinstance(system, dict) and not system.keys() <= _TURN:
        return changes
    parts = system.get("parts") if isinstance(system, dict) else system
    if says_nothing(parts) or (isinstance(parts, list) and all(map(_is_blank, parts))):
        del row["systemInstruction"]
        return changes | {"empty_optional"}
    return changes


def _tools(row: Row) -> set[str]:
    changes: set[str] = set()
    if isinstance(row.get("tools"), dict) and row["tools"]:
        row["tools"] = [row["tools"]]
        changes.add("parts")
    if "tools" in row and says_nothing(row["tools"]):
        del row["tools"]
        changes.add("empty_optional")
    tools = row.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            changes |= _camel(tool, CAMEL.keys())
    return changes


def _role(turn: Row, names: Mapping[str, str]) -> set[str]:
    role = turn.get("role")
    meant = names.get(role.strip().lower()) if isinstance(role, str) else None
    if meant is None or meant == role:
        return set()
    turn["role"] = meant
    return {"role"}


def _system_turns(row: Row, turns: list[Any]) -> set[str]:
    """Instructions that stand before the conversation join ``systemInstruction``."""
    before = row.get("systemInstruction", {"parts": []})
    if not isinstance(before, dict) or not before.keys() <= _TURN or not isinstance(before.get("parts"), list):
        return set()
    parts: list[Any] = []
    while turns and speaker(turns[0], "role") in INSTRUCTING and _is_plain(turns[0]):
        parts += turns.pop(0)["parts"]
    if not parts:
        return set()
    row["systemInstruction"] = {"role": "system", "parts": [*before["parts"], *parts]}
    return {"system"}


def _is_empty(turn: Any) -> bool:
    parts = turn.get("parts", []) if isinstance(turn, dict) and turn.keys() <= _TURN else None
    return isinstance(parts, list) and all(map(_is_blank, parts))


def _is_plain(turn: Row) -> bool:
    """Whether a turn has a role and parts, and nothing that would be lost without it."""
    return turn.keys() == _TURN and isinstance(turn["parts"], list)


def _is_blank(part: Any) -> bool:
    return isinstance(part, dict) and (not part or (part.keys() == {"text"} and says_nothing(part["text"])))


def _joined(turns: list[Any], answers: str) -> set[str]:
    """Neighbouring turns of one speaker become one; a blank line stands between two texts."""
    changes: set[str] = set()
    at = 0
    while at + 1 < len(turns):
        first, second = turns[at], turns[at + 1]
        same = speaker(first, "role") in ("user", answers) and speaker(first, "role") == speaker(second, "role")
        if same and _is_plain(first) and _is_plain(second):
            first["parts"] = _in_one(first["parts"], second["parts"])
            del turns[at + 1]
            changes.add("neighbours")
            continue
        at += 1
    return changes


def _in_one(first: list[Any], second: list[Any]) -> list[Any]:
    if first and second and _is_text(first[-1]) and _is_text(second[0]):
        return [*first[:-1], {"text": first[-1]["text"] + JOINED_BY + second[0]["text"]}, *second[1:]]
    return [*first, *second]


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.keys() == {"text"} and isinstance(part["text"], str)


def references(row: Row) -> set[str]:
    """Repair the ``references`` of a reinforcement row, which are texts by name."""
    given = row.get("references")
    return texts(*given)(given) if isinstance(given, dict) else set()
