"""The parts of a Gemini turn: their type, what they say, and the rules that each kind of part has.

A part has exactly one of the members of `PART_KINDS`. Source: "About supervised fine-tuning for Gemini models",
Vertex AI documentation, and the Part resource of its API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..rowformat import Problem
from .fields import blank, excerpt, fields_of, shown, unknown_fields

MEDIA = frozenset({"fileData", "inlineData"})
# The API reads the names of protocol buffers too; the documentation of tuning has one in a sample.
SNAKE_CASE: Mapping[str, str] = {
    "systemInstruction": "system_instruction",
    "generationConfig": "generation_config",
    "fileData": "file_data",
    "inlineData": "inline_data",
    "functionCall": "function_call",
    "functionResponse": "function_response",
    "functionDeclarations": "function_declarations",
    "videoMetadata": "video_metadata",
    "mimeType": "mime_type",
    "fileUri": "file_uri",
}

_MIME_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9][A-Za-z0-9.+_-]*")
_FILE_URI = re.compile(r"gs://[^/]+/.+", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


class Part(msgspec.Struct, frozen=True, gc=False):
    text: str | msgspec.UnsetType = msgspec.UNSET
    fileData: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    inlineData: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    functionCall: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    functionResponse: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


def said(parts: Sequence[Part]) -> str:
    """What parts say together; one that is no text says its JSON."""
    if len(parts) == 1 and isinstance(parts[0].text, str):
        return parts[0].text
    return "".join([p.text if isinstance(p.text, str) else msgspec.json.encode(p).decode() for p in parts])


def spelling(given: Mapping[str, Any], name: str) -> str | None:
    """The key under which an object has a member: its name, or that in snake case; None without it."""
    if name in given:
        return name
    snake = SNAKE_CASE.get(name)
    return snake if snake in given else None


def snake_case_problems(given: Mapping[str, Any], names: Sequence[str], at: str) -> Iterator[Problem]:
    """Members that an object has in snake case."""
    for name in names:
        key = spelling(given, name)
        if key is not None and key != name:
            yield Problem("GEMINI-SNAKE-CASE", f"{at}/{key}", {"found": key, "field": name})


def with_spellings(*names: str) -> frozenset[str]:
    """Names in both spellings."""
    return frozenset({*names, *(SNAKE_CASE[name] for name in names if name in SNAKE_CASE)})


def kinds_of(part: Any) -> list[str]:
    """The kinds that a decoded part has members of; one is right."""
    return [kind for kind in PART_KINDS if spelling(part, kind) is not None] if isinstance(part, dict) else []


def media_types(part: Any) -> list[str]:
    """The MIME types of the media in a decoded part."""
    media = [part.get(spelling(part, kind)) for kind in kinds_of(part) if kind in MEDIA]
    types = [value.get(spelling(value, "mimeType")) for value in media if isinstance(value, dict)]
    return [given for given in types if isinstance(given, str)]


def part_problems(part: Any, at: str, empty: str = "GEMINI-EMPTY-TEXT") -> Iterator[Problem]:
    """Everything wrong with one part by itself; `empty` is the code for a text that says nothing."""
    if not isinstance(part, dict):
        yield Problem("GEMINI-PART-TYPE", at, {"found": shown(part)}, excerpt(part))
        return
    kinds = kinds_of(part)
    if not kinds:
        yield Problem("GEMINI-PART-NO-KIND", at, {"found": fields_of(part)})
    elif len(kinds) > 1:
        yield Problem("GEMINI-PART-KIND", at, {"found": ", ".join(kinds)})
    for kind in kinds:
        key = spelling(part, kind) or kind
        if kind == "text":
            yield from _text(part[key], f"{at}/{key}", empty)
        elif isinstance(part[key], dict):
            yield from PART_KINDS[kind](part[key], f"{at}/{key}")
        else:
            yield Problem("GEMINI-PART-VALUE", f"{at}/{key}", {"field": kind, "found": shown(part[key])})
    names = (*PART_KINDS, "videoMetadata") if MEDIA.intersection(kinds) else tuple(PART_KINDS)
    metadata = spelling(part, "videoMetadata")
    if metadata is not None and "videoMetadata" in names and not isinstance(part[metadata], dict):
        yield Problem("GEMINI-VIDEO-METADATA", f"{at}/{metadata}", {"found": shown(part[metadata])})
    yield from snake_case_problems(part, names, at)
    if kinds:
        yield from unknown_fields(part, with_spellings(*names), at, "GEMINI-UNKNOWN-FIELD")


def _text(value: Any, at: str, empty: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem("GEMINI-TEXT-TYPE", at, {"found": shown(value)}, excerpt(value))
    elif blank(value):
        yield Problem(empty, at, {"found": shown(value)})


def _member(value: Mapping[str, Any], name: str, at: str, code: str) -> Iterator[Problem]:
    """The rule that a part's object has a member that is a text and not empty."""
    key = spelling(value, name)
    if key is None:
        yield Problem(code, at, {"field": name, "found": fields_of(value)})
    elif not isinstance(value[key], str) or blank(value[key]):
        yield Problem(code, f"{at}/{key}", {"field": name, "found": shown(value[key])})


def _mime_type(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    key = spelling(value, "mimeType")
    given = value.get(key) if key else None
    if isinstance(given, str) and not blank(given) and not _MIME_TYPE.fullmatch(given):
        yield Problem("GEMINI-MIME-TYPE", f"{at}/{key}", {"found": shown(given)}, excerpt(given))


def _file_data(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    yield from _member(value, "mimeType", at, "GEMINI-FILE-DATA")
    yield from _member(value, "fileUri", at, "GEMINI-FILE-DATA")
    yield from _mime_type(value, at)
    key = spelling(value, "fileUri")
    uri = value.get(key) if key else None
    if isinstance(uri, str) and not blank(uri) and not _FILE_URI.fullmatch(uri):
        yield Problem("GEMINI-FILE-URI", f"{at}/{key}", {"found": excerpt(uri)}, excerpt(uri))
    yield from snake_case_problems(value, ("mimeType", "fileUri"), at)


def _inline_data(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    yield from _member(value, "mimeType", at, "GEMINI-INLINE-DATA")
    yield from _member(value, "data", at, "GEMINI-INLINE-DATA")
    yield from _mime_type(value, at)
    data = value.get("data")
    if isinstance(data, str) and not blank(data) and not _BASE64.fullmatch(data):
        yield Problem("GEMINI-INLINE-BASE64", f"{at}/data", {"found": excerpt(data)}, excerpt(data))
    yield from snake_case_problems(value, ("mimeType",), at)


def _function(member: str, required: bool) -> Callable[[Mapping[str, Any], str], Iterator[Problem]]:
    """The rule of a function's call or response: `name`, and an object that holds its arguments or result."""

    def rule(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
        yield from _member(value, "name", at, "GEMINI-FUNCTION")
        if member not in value and required:
            yield Problem("GEMINI-FUNCTION", at, {"field": member, "found": fields_of(value)})
        elif member in value and not isinstance(value[member], dict):
            yield Problem("GEMINI-FUNCTION-ARGS", f"{at}/{member}", {"field": member, "found": shown(value[member])})

    return rule


def _nothing_within(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    yield from ()


PART_KINDS: Mapping[str, Callable[[Mapping[str, Any], str], Iterator[Problem]]] = {
    "text": _nothing_within,
    "fileData": _file_data,
    "inlineData": _inline_data,
    "functionCall": _function("args", required=False),
    "functionResponse": _function("response", required=True),
}
