"""Gemini rows: ``{"systemInstruction"?: Content, "contents": [Content, …], "tools"?: […]}``, for Gemini 1.5 and later.

A Content is ``{"role": "user"|"model", "parts": [Part, …]}``; a Part has exactly one of the members of `PART_KINDS`.
Source: "About supervised fine-tuning for Gemini models", Vertex AI documentation, and its Content resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from .fields import excerpt, shown, unknown_fields
from .rowformat import Example, Problem, RowFormat

FIELDS = frozenset({"systemInstruction", "contents", "tools"})
# "function" is what some clients call the turn of a function's response; the API reads it as the user's.
ROLES = ("user", "model", "function")


class Part(msgspec.Struct, frozen=True):
    text: str | msgspec.UnsetType = msgspec.UNSET
    fileData: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    inlineData: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    functionCall: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    functionResponse: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Turn(msgspec.Struct, frozen=True):
    role: Literal["user", "model", "function"]
    parts: list[Part]


class System(msgspec.Struct, frozen=True):
    parts: list[Part]
    role: Any = msgspec.UNSET


class Row(msgspec.Struct, frozen=True):
    contents: list[Turn]
    systemInstruction: System | msgspec.UnsetType = msgspec.UNSET
    tools: list[Any] | msgspec.UnsetType = msgspec.UNSET


def _sound_keys(row: Row) -> int | None:
    """Only rows of text with alternating turns take the fast path; the rest is told apart by `_problems`."""
    keys = 1
    if row.tools is not msgspec.UNSET:
        return None
    if not isinstance(row.systemInstruction, msgspec.UnsetType):
        if not _all_text(row.systemInstruction.parts):
            return None
        keys += 2 + len(row.systemInstruction.parts) + (row.systemInstruction.role is not msgspec.UNSET)
    expected = "user"
    for turn in row.contents:
        if turn.role != expected or not _all_text(turn.parts):
            return None
        keys += 2 + len(turn.parts)
        expected = "model" if expected == "user" else "user"
    return keys if row.contents and expected == "user" else None


def _all_text(parts: list[Part]) -> bool:
    for part in parts:
        if isinstance(part.text, msgspec.UnsetType) or not part.text or part.text.isspace():
            return False
    return bool(parts)


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    if "systemInstruction" in row:
        yield from _system(row["systemInstruction"])
    yield from _contents(row.get("contents"))
    if "tools" in row and not isinstance(row["tools"], list):
        yield Problem("GEMINI-TOOLS-TYPE", "/tools", found=shown(row["tools"]))
    known = FIELDS
    if "system_instruction" in row:
        known = FIELDS | {"system_instruction"}
        yield Problem("GEMINI-SNAKE-CASE", "/system_instruction", found="`system_instruction`")
    yield from unknown_fields(row, known, "", "GEMINI-UNKNOWN-FIELD")


def _system(system: Any) -> Iterator[Problem]:
    at = "/systemInstruction"
    if not isinstance(system, dict):
        yield Problem("GEMINI-SYSTEM-TYPE", at, found=shown(system), excerpt=excerpt(system))
        return
    for problem in _parts(system, at):
        yield problem._replace(code="GEMINI-SYSTEM-PART") if problem.code == "GEMINI-PART-NOT-TEXT" else problem
    yield from unknown_fields(system, frozenset({"role", "parts"}), at, "GEMINI-UNKNOWN-FIELD")


def _contents(contents: Any) -> Iterator[Problem]:
    if not isinstance(contents, list):
        yield Problem("GEMINI-CONTENTS-TYPE", "/contents", found=shown(contents), excerpt=excerpt(contents))
        return
    if not contents:
        yield Problem("GEMINI-EMPTY-CONTENTS", "/contents", found="an empty list")
        return
    roles: list[Any] = []
    for index, turn in enumerate(contents):
        at = f"/contents/{index}"
        roles.append(turn.get("role") if isinstance(turn, dict) else None)
        if not isinstance(turn, dict):
            yield Problem("GEMINI-TURN-TYPE", at, found=shown(turn), excerpt=excerpt(turn))
            continue
        if "role" not in turn:
            yield Problem("GEMINI-MISSING-ROLE", at, found="no `role`")
        elif turn["role"] not in ROLES:
            yield Problem("GEMINI-ROLE", f"{at}/role", found=shown(turn["role"]))
        yield from _parts(turn, at)
        yield from unknown_fields(turn, frozenset({"role", "parts"}), at, "GEMINI-UNKNOWN-FIELD")
    if roles[0] in ("model", "function"):
        yield Problem("GEMINI-FIRST-TURN", "/contents/0", found=shown(roles[0]))
    for index in range(1, len(roles)):
        if roles[index] == roles[index - 1] and roles[index] in ("user", "model"):
            yield Problem("GEMINI-ROLE-ORDER", f"/contents/{index}", found=f"{shown(roles[index])} twice in a row")
    if roles[-1] in ("user", "function"):
        yield Problem("GEMINI-LAST-TURN", f"/contents/{len(roles) - 1}", found=shown(roles[-1]))


def _parts(content: Mapping[str, Any], at: str) -> Iterator[Problem]:
    if "parts" not in content:
        yield Problem("GEMINI-MISSING-PARTS", at, found="no `parts`")
        return
    parts = content["parts"]
    if not isinstance(parts, list):
        yield Problem("GEMINI-PARTS-TYPE", f"{at}/parts", found=shown(parts), excerpt=excerpt(parts))
        return
    if not parts:
        yield Problem("GEMINI-EMPTY-PARTS", f"{at}/parts", found="an empty list")
    for index, part in enumerate(parts):
        yield from _part(part, f"{at}/parts/{index}")


def _part(part: Any, at: str) -> Iterator[Problem]:
    if not isinstance(part, dict):
        yield Problem("GEMINI-PART-TYPE", at, found=shown(part), excerpt=excerpt(part))
        return
    kinds = [kind for kind in PART_KINDS if kind in part]
    if len(kinds) != 1:
        found = " and ".join(f"`{kind}`" for kind in kinds) or "none of them"
        yield Problem("GEMINI-PART-KIND", at, found=found)
    for kind in kinds:
        yield from PART_KINDS[kind](part[kind], f"{at}/{kind}")
        if kind != "text":
            yield Problem("GEMINI-PART-NOT-TEXT", f"{at}/{kind}", found=f"`{kind}`")
    yield from unknown_fields(part, frozenset(PART_KINDS), at, "GEMINI-UNKNOWN-FIELD")


def _text(value: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem("GEMINI-TEXT-TYPE", at, found=shown(value), excerpt=excerpt(value))
    elif not value or value.isspace():
        yield Problem("GEMINI-EMPTY-TEXT", at, found="white space only" if value else "an empty string")


def _needs(code: str, *members: str) -> Callable[[Any, str], Iterator[Problem]]:
    """The rule that a part's value is an object with these members, all of them texts."""

    def rule(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(code, at, found=shown(value))
            return
        for member in members:
            if not isinstance(value.get(member), str) or not value[member]:
                found = f"no `{member}`" if member not in value else f"{member} = {shown(value[member])}"
                yield Problem(code, f"{at}/{member}" if member in value else at, found=found)

    return rule


def _file_data(value: Any, at: str) -> Iterator[Problem]:
    yield from _needs("GEMINI-FILE-DATA", "mimeType", "fileUri")(value, at)
    uri = value.get("fileUri") if isinstance(value, dict) else None
    if isinstance(uri, str) and uri and not uri.startswith("gs://"):
        yield Problem("GEMINI-FILE-URI", f"{at}/fileUri", found=shown(uri), excerpt=excerpt(uri))


PART_KINDS: dict[str, Callable[[Any, str], Iterator[Problem]]] = {
    "text": _text,
    "fileData": _file_data,
    "inlineData": _needs("GEMINI-INLINE-DATA", "mimeType", "data"),
    "functionCall": _needs("GEMINI-FUNCTION", "name"),
    "functionResponse": _needs("GEMINI-FUNCTION", "name"),
}


def _example(row: Row) -> Example:
    system = [] if isinstance(row.systemInstruction, msgspec.UnsetType) else row.systemInstruction.parts
    before = [part for turn in row.contents[:-1] for part in turn.parts]
    return Example("\n".join(map(_said, [*system, *before])), "\n".join(map(_said, row.contents[-1].parts)))


def _said(part: Part) -> str:
    return part.text if isinstance(part.text, str) else msgspec.json.encode(part).decode()


GEMINI_CONTENTS = RowFormat(
    name="gemini_contents",
    format="gemini_contents",
    row=Row,
    sound_keys=_sound_keys,
    problems=_problems,
    example=_example,
    incomplete=frozenset({"open_contents", "contents_prompts"}),
)
