"""Conversations of turns and parts: ``{"systemInstruction"?: Content, "contents": [Content, …], "tools"?: […]}``.

A Content is ``{"role": …, "parts": [Part, …]}``. Shared by every format whose rows have `contents`.
Source: "About supervised fine-tuning for Gemini models" and "Video tuning", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import msgspec

from ..rowformat import Problem
from .fields import excerpt, fields_of, shown, unknown_fields
from .parts import MEDIA, Part, kinds_of, part_problems, said, snake_case_problems, spelling, with_spellings

FIELDS = with_spellings("systemInstruction", "contents", "tools", "generationConfig")
# What some clients call the turn of a function's response; the API reads it as the user's.
FUNCTION = "function"
MEDIA_RESOLUTIONS = ("MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH")
# What other services, and people, call the two who speak.
USER_NAMES = frozenset({"user", "human", "customer"})
ANSWER_NAMES = frozenset({"model", "assistant", "ai", "bot", "gpt", "gemini"})
SYSTEM_NAMES = frozenset({"system", "developer"})


class Turn(msgspec.Struct, frozen=True, gc=False):
    # With roles that are wrong but usual: a block that has one can still be decoded at once.
    role: Literal["user", "model", "function", "assistant", "system"]
    parts: list[Part]


class System(msgspec.Struct, frozen=True, gc=False):
    parts: list[Part]
    role: str | msgspec.UnsetType = msgspec.UNSET


class Conversed(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What every row with `contents` has."""

    contents: list[Turn]
    systemInstruction: System | msgspec.UnsetType = msgspec.UNSET
    tools: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    generationConfig: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Row(Conversed, frozen=True, gc=False):
    """A row of `contents` and nothing else."""


# The same rows when each turn is one text, as nearly all are: half of the objects that a decoder has to make.


class UsualPart(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    text: str


class UsualTurn(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    role: Literal["user", "model"]
    parts: tuple[UsualPart]


class UsualSystem(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    parts: tuple[UsualPart]
    role: str | msgspec.UnsetType = msgspec.UNSET


class UsualRow(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A row of turns that are a text each."""

    contents: list[UsualTurn]
    systemInstruction: UsualSystem | msgspec.UnsetType = msgspec.UNSET
    tools: ClassVar = msgspec.UNSET
    generationConfig: ClassVar = msgspec.UNSET


def joined(row: Conversed, turns: Sequence[Turn]) -> str:
    """The system instruction and some turns of a row as text, one line for each."""
    texts = [said(turn.parts) for turn in turns]
    if not isinstance(row.systemInstruction, msgspec.UnsetType):
        texts.insert(0, said(row.systemInstruction.parts))
    return "\n".join(texts)


@dataclass(frozen=True)
class Conversation:
    """How a format speaks.

    `answers` is the role that answers the user, `last` the role whose turn must be the last, `last_turn` the code for
    another. `text_only` is the code for a part that is no text where none may be; where one may, it is only remarked.
    `unknown` is the code for a field that is not read.
    """

    answers: str
    last: str
    last_turn: str
    text_only: str | None = None
    unknown: str = "GEMINI-UNKNOWN-FIELD"

    def problems(self, row: Mapping[str, Any], more_fields: frozenset[str] = frozenset()) -> Iterator[Problem]:
        """Everything wrong with a row but for what the format itself adds, its `more_fields`."""
        yield from _system_problems(row)
        if "contents" not in row:
            yield Problem("GEMINI-MISSING-CONTENTS", "", {"found": fields_of(row)})
        else:
            yield from self._contents(row["contents"], row.get("tools"))
        yield from extra_problems(row)
        yield from snake_case_problems(row, ("systemInstruction", "generationConfig"), "")
        yield from unknown_fields(row, FIELDS | more_fields, "", self.unknown)

    def _contents(self, contents: Any, tools: Any) -> Iterator[Problem]:
        if not isinstance(contents, list):
            yield Problem("GEMINI-CONTENTS-TYPE", "/contents", {"found": shown(contents)}, excerpt(contents))
            return
        if not contents:
            yield Problem("GEMINI-EMPTY-CONTENTS", "/contents")
            return
        for index, turn in enumerate(contents):
            yield from self.turn(turn, f"/contents/{index}", ("user", FUNCTION, self.answers))
        yield from self._order([turn.get("role") if isinstance(turn, dict) else None for turn in contents])
        yield from _undeclared(contents, tools)

    def turn(self, turn: Any, at: str, roles: Sequence[str]) -> Iterator[Problem]:
        """Everything wrong with one turn by itself; `roles` are those that it may have."""
        if not isinstance(turn, dict):
            yield Problem("GEMINI-TURN-TYPE", at, {"found": shown(turn)}, excerpt(turn))
            return
        if "role" not in turn:
            yield Problem("GEMINI-MISSING-ROLE", at, {"found": fields_of(turn), "answers": self.answers})
        elif turn["role"] not in roles:
            yield self._bad_role(turn["role"], f"{at}/role")
        yield from parts_problems(turn, at, "GEMINI-EMPTY-PARTS", "GEMINI-EMPTY-TEXT")
        yield from self._kinds(turn, at)
        yield from unknown_fields(turn, frozenset({"role", "parts"}), at, self.unknown)

    def _bad_role(self, role: Any, at: str) -> Problem:
        if not isinstance(role, str):
            return Problem("GEMINI-ROLE-TYPE", at, {"found": shown(role), "answers": self.answers})
        name = role.strip().lower()
        if name in SYSTEM_NAMES:
            return Problem("GEMINI-SYSTEM-TURN", at, {"found": role})
        values = {"found": excerpt(role), "answers": self.answers}
        if name in USER_NAMES | ANSWER_NAMES:
            return Problem("GEMINI-ROLE", at, {**values, "meant": "user" if name in USER_NAMES else self.answers})
        return Problem("GEMINI-UNKNOWN-ROLE", at, values)

    def _kinds(self, turn: Mapping[str, Any], at: str) -> Iterator[Problem]:
        """What a turn holds besides text, and whether it may."""
        role, parts = turn.get("role"), turn.get("parts")
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            for kind in kinds_of(part):
                pointer = f"{at}/parts/{index}/{spelling(part, kind)}"
                if kind != "text":
                    yield Problem(self.text_only or "GEMINI-PART-NOT-TEXT", pointer, {"found": kind})
                    if self.text_only:
                        continue
                if role == FUNCTION and kind != "functionResponse":
                    yield Problem("GEMINI-FUNCTION-TURN", pointer, {"found": kind})
                if role == "user" and kind == "functionCall":
                    yield Problem("GEMINI-FUNCTION-CALL-TURN", pointer, {"found": role, "answers": self.answers})
                if role == self.answers and kind == "functionResponse":
                    yield Problem("GEMINI-FUNCTION-RESPONSE-TURN", pointer, {"found": role})
                if role == self.answers and kind in MEDIA:
                    yield Problem("GEMINI-ANSWER-MEDIA", pointer, {"found": kind})

    def _order(self, roles: Sequence[Any]) -> Iterator[Problem]:
        """Order among the turns whose role is known; the others have their own finding already."""
        if roles[0] in (self.answers, FUNCTION):
            yield Problem("GEMINI-FIRST-TURN", "/contents/0", {"found": roles[0]})
        for index in range(1, len(roles)):
            if roles[index] == roles[index - 1] and roles[index] in ("user", self.answers):
                values = {"found": roles[index], "answers": self.answers}
                yield Problem("GEMINI-ROLE-ORDER", f"/contents/{index}", values)
        ends_well = (self.last, FUNCTION) if self.last == "user" else (self.last,)
        if roles[-1] in ("user", FUNCTION, self.answers) and roles[-1] not in ends_well:
            yield Problem(self.last_turn, f"/contents/{len(roles) - 1}", {"found": roles[-1], "last": self.last})


def parts_problems(content: Mapping[str, Any], at: str, no_parts: str, empty: str) -> Iterator[Problem]:
    """Everything wrong with the parts of a Content; `no_parts` and `empty` are the codes for where they say nothing."""
    if "parts" not in content:
        yield Problem("GEMINI-MISSING-PARTS", at, {"found": fields_of(content)})
        return
    parts = content["parts"]
    if not isinstance(parts, list):
        yield Problem("GEMINI-PARTS-TYPE", f"{at}/parts", {"found": shown(parts)}, excerpt(parts))
        return
    if not parts:
        yield Problem(no_parts, f"{at}/parts", {"found": "[]"})
    for index, part in enumerate(parts):
        yield from part_problems(part, f"{at}/parts/{index}", empty)


def _system_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    key = spelling(row, "systemInstruction")
    if key is None:
        return
    if "systemInstruction" in row and "system_instruction" in row:
        yield Problem("GEMINI-SYSTEM-TWICE", "/system_instruction")
    system, at = row[key], f"/{key}"
    if not isinstance(system, dict):
        yield Problem("GEMINI-SYSTEM-TYPE", at, {"found": shown(system)}, excerpt(system))
        return
    if "role" in system and not isinstance(system["role"], str):
        yield Problem("GEMINI-SYSTEM-ROLE", f"{at}/role", {"found": shown(system["role"])})
    yield from parts_problems(system, at, "GEMINI-EMPTY-SYSTEM", "GEMINI-EMPTY-SYSTEM")
    parts = system.get("parts")
    for index, part in enumerate(parts if isinstance(parts, list) else ()):
        for kind in kinds_of(part):
            if kind != "text":
                yield Problem("GEMINI-SYSTEM-PART", f"{at}/parts/{index}/{spelling(part, kind)}", {"found": kind})
    yield from unknown_fields(system, frozenset({"role", "parts"}), at, "GEMINI-UNKNOWN-FIELD")


def extra_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything wrong with `tools` and `generationConfig`, which rows seldom have."""
    tools = row.get("tools", [])
    if not isinstance(tools, list):
        yield Problem("GEMINI-TOOLS-TYPE", "/tools", {"found": shown(tools)})
        tools = []
    for index, tool in enumerate(tools):
        if not isinstance(tool, dict):
            yield Problem("GEMINI-TOOL-TYPE", f"/tools/{index}", {"found": shown(tool)})
    key = spelling(row, "generationConfig")
    if key is None:
        return
    config = row[key]
    if not isinstance(config, dict):
        yield Problem("GEMINI-CONFIG-TYPE", f"/{key}", {"found": shown(config)})
        return
    if "mediaResolution" in config and config["mediaResolution"] not in MEDIA_RESOLUTIONS:
        found = shown(config["mediaResolution"])
        yield Problem("GEMINI-MEDIA-RESOLUTION", f"/{key}/mediaResolution", {"found": found})
    yield from unknown_fields(config, frozenset({"mediaResolution"}), f"/{key}", "GEMINI-UNKNOWN-FIELD")


def _undeclared(contents: Sequence[Any], tools: Any) -> Iterator[Problem]:
    """Calls of functions that the row's `tools` do not declare."""
    declared = set(_declared(tools))
    for index, turn in enumerate(contents):
        parts = turn.get("parts") if isinstance(turn, dict) else None
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            key = spelling(part, "functionCall") if isinstance(part, dict) else None
            call = part[key] if key else None
            name = call.get("name") if isinstance(call, dict) else None
            if isinstance(name, str) and name and name not in declared:
                pointer = f"/contents/{index}/parts/{number}/{key}/name"
                yield Problem("GEMINI-FUNCTION-UNDECLARED", pointer, {"found": excerpt(name)})


def _declared(tools: Any) -> Iterator[str]:
    for tool in tools if isinstance(tools, list) else ():
        declarations = (
            tool.get("functionDeclarations", tool.get("function_declarations")) if isinstance(tool, dict) else ()
        )
        for declaration in declarations if isinstance(declarations, list) else ():
            if isinstance(declaration, dict) and isinstance(declaration.get("name"), str):
                yield declaration["name"]
