"""Rows for Gemini batch prediction: ``{"request": {"contents": [{"role": …, "parts": [Part, …]}, …], …}}``.

A request may have whatever a call of `generateContent` may have. Its field names are read in camel case and in snake
case, as everywhere in that API.
Source: "Batch prediction with Gemini", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from ..bulk import lengths
from ..rowformat import Batch, Example, Problem, RowFormat
from .fields import blank, excerpt, fields_of, shown, unknown_fields

REQUEST_FIELDS = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig", "labels", "model"}
    | {"cachedContent", "system_instruction", "tool_config", "safety_settings", "generation_config", "cached_content"}
)
SETTINGS_LEVELS = 16  # response schemas are nested; what is nested deeper gets a closer look
ROLES = ("user", "model", "function")
SYSTEM_NAMES = ("systemInstruction", "system_instruction")
PART_KINDS = (
    *("text", "fileData", "file_data", "inlineData", "inline_data", "functionCall", "function_call"),
    *("functionResponse", "function_response", "executableCode", "executable_code"),
    *("codeExecutionResult", "code_execution_result"),
)


class Turn(msgspec.Struct, frozen=True):
    """`role` may be left out of a request of one turn."""

    parts: list[dict[str, Any]]
    role: Literal["user", "model", "function"] | msgspec.UnsetType = msgspec.UNSET


class Request(msgspec.Struct, frozen=True):
    contents: list[Turn]
    systemInstruction: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    system_instruction: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    generationConfig: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    generation_config: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Row(msgspec.Struct, frozen=True):
    request: Request


def _measure(rows: Sequence[Row]) -> Batch | list[int]:
    """Requests of one turn that is text, without a system instruction; the others need a closer look."""
    prompts: list[str] = []
    keys: list[int] = []
    doubtful: list[int] = []
    for at, row in enumerate(rows):
        text, settings = _only_text(row.request), _keys_of_settings(row.request)
        if text is None or settings is None:
            doubtful.append(at)
        else:
            prompts.append(text)
            keys.append(5 + settings)  # request, contents, role, parts and text
    if doubtful:
        return doubtful
    asked = lengths(prompts)
    return Batch(np.array(keys, np.int32), prompts, asked, np.zeros(len(rows), np.int32), {"text": asked})


def _only_text(request: Request) -> str | None:
    plain = request.systemInstruction is msgspec.UNSET is request.system_instruction
    if not plain or len(request.contents) != 1 or request.generation_config is not msgspec.UNSET:
        return None
    turn = request.contents[0]
    if turn.role != "user" or len(turn.parts) != 1:
        return None
    text = turn.parts[0].get("text")
    return text if len(turn.parts[0]) == 1 and isinstance(text, str) and not blank(text) else None


def _keys_of_settings(request: Request) -> int | None:
    settings = request.generationConfig
    if isinstance(settings, msgspec.UnsetType):
        return 0
    within = _keys_within(settings, SETTINGS_LEVELS)
    return None if within is None else 1 + within


def _keys_within(value: Any, levels: int) -> int | None:
    """The keys of all objects in a value, None when it is nested deeper than so many levels."""
    if not isinstance(value, dict | list):
        return 0
    if not levels:
        return None
    total = len(value) if isinstance(value, dict) else 0
    for inner in value.values() if isinstance(value, dict) else value:
        keys = _keys_within(inner, levels - 1)
        if keys is None:
            return None
        total += keys
    return total


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    if "request" not in row:
        yield Problem("BATCH-MISSING-REQUEST", "", {"field": "request", "found": fields_of(row)})
    elif not isinstance(row["request"], dict):
        yield Problem("BATCH-REQUEST-TYPE", "/request", {"found": shown(row["request"])}, excerpt(row["request"]))
    else:
        yield from _request(row["request"])
    yield from unknown_fields(row, frozenset({"request"}), "", "BATCH-UNKNOWN-FIELD")


def _request(request: Mapping[str, Any]) -> Iterator[Problem]:
    at = "/request"
    if "contents" not in request:
        yield Problem("BATCH-MISSING-CONTENTS", at, {"field": "contents", "found": fields_of(request)})
    elif not isinstance(request["contents"], list):
        found = shown(request["contents"])
        yield Problem("BATCH-CONTENTS-TYPE", f"{at}/contents", {"found": found}, excerpt(request["contents"]))
    elif not request["contents"]:
        yield Problem("BATCH-EMPTY-CONTENTS", f"{at}/contents", {"found": "[]"})
    else:
        yield from _contents(request["contents"], f"{at}/contents")
    for name in SYSTEM_NAMES:
        if name in request:
            yield from _system(request[name], f"{at}/{name}")
    for name in ("generationConfig", "generation_config"):
        if not isinstance(request.get(name, {}), dict):
            yield Problem("BATCH-CONFIG-TYPE", f"{at}/{name}", {"field": name, "found": shown(request[name])})
    yield from unknown_fields(request, REQUEST_FIELDS, at, "BATCH-REQUEST-FIELD")


def _contents(contents: Sequence[Any], at: str) -> Iterator[Problem]:
    for index, turn in enumerate(contents):
        if not isinstance(turn, dict):
            yield Problem("BATCH-TURN-TYPE", f"{at}/{index}", {"found": shown(turn)}, excerpt(turn))
            continue
        if "role" not in turn and len(contents) > 1:
            yield Problem("BATCH-MISSING-ROLE", f"{at}/{index}", {"field": "role", "found": fields_of(turn)})
        elif "role" in turn and turn["role"] not in ROLES:
            found = shown(turn["role"])
            yield Problem("BATCH-ROLE", f"{at}/{index}/role", {"found": found, "roles": ", ".join(ROLES[:2])})
        yield from _parts(turn, f"{at}/{index}")
    last = contents[-1]
    if isinstance(last, dict) and last.get("role") == "model":
        yield Problem("BATCH-LAST-TURN", f"{at}/{len(contents) - 1}", {"found": "model"})


def _system(system: Any, at: str) -> Iterator[Problem]:
    if isinstance(system, dict):
        yield from _parts(system, at)
    else:
        yield Problem("BATCH-SYSTEM-TYPE", at, {"found": shown(system)}, excerpt(system))


def _parts(content: Mapping[str, Any], at: str) -> Iterator[Problem]:
    if "parts" not in content:
        yield Problem("BATCH-MISSING-PARTS", at, {"field": "parts", "found": fields_of(content)})
        return
    parts, at = content["parts"], f"{at}/parts"
    if not isinstance(parts, list):
        yield Problem("BATCH-PARTS-TYPE", at, {"found": shown(parts)}, excerpt(parts))
        return
    if not parts:
        yield Problem("BATCH-EMPTY-PARTS", at, {"found": "[]"})
    for index, part in enumerate(parts):
        yield from _part(part, f"{at}/{index}")


def _part(part: Any, at: str) -> Iterator[Problem]:
    if not isinstance(part, dict):
        yield Problem("BATCH-PART-TYPE", at, {"found": shown(part)}, excerpt(part))
        return
    kinds = [kind for kind in PART_KINDS if kind in part]
    if len(kinds) != 1:
        yield Problem("BATCH-PART-KIND", at, {"found": ", ".join(kinds) or fields_of(part)})
    if "text" in part:
        text = part["text"]
        if not isinstance(text, str):
            yield Problem("BATCH-TEXT-TYPE", f"{at}/text", {"found": shown(text)}, excerpt(text))
        elif blank(text):
            yield Problem("BATCH-EMPTY-TEXT", f"{at}/text", {"found": shown(text)})
    for kind in kinds:
        if kind != "text" and not isinstance(part[kind], dict):
            yield Problem("BATCH-PART-VALUE", f"{at}/{kind}", {"field": kind, "found": shown(part[kind])})


def _example(row: Row) -> Example:
    request = row.request
    systems = [request.systemInstruction, request.system_instruction]
    told = [part for system in systems if isinstance(system, dict) for part in system["parts"]]
    asked = [part for turn in request.contents for part in turn.parts]
    return Example("\n".join(map(_said, [*told, *asked])), "")


def _said(part: Mapping[str, Any]) -> str:
    text = part.get("text")
    return text if isinstance(text, str) else msgspec.json.encode(part).decode()


BATCH_REQUESTS = RowFormat(
    name="batch_requests",
    row=Row,
    measure=_measure,
    problems=_problems,
    example=_example,
    has_answer=False,
)
