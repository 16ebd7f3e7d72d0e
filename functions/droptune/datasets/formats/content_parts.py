"""Contents of a turn besides a text: a list of parts such as ``{"type": "text", "text": "…"}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..rowformat import Problem
from .fields import blank, excerpt, fields_of, shown

TEXT = frozenset({"text"})
TEXT_AND_IMAGES = frozenset({"text", "image_url"})


def parts_problems(parts: list[Any], at: str, prefix: str, allowed: frozenset[str]) -> Iterator[Problem]:
    """Everything wrong with a list of parts at a pointer; `prefix` begins the codes, `allowed` are the types."""
    if not parts:
        yield Problem(f"{prefix}-EMPTY-PARTS", at, {"found": "[]"})
    for index, part in enumerate(parts):
        yield from _part(part, f"{at}/{index}", prefix, allowed)


def _part(part: Any, at: str, prefix: str, allowed: frozenset[str]) -> Iterator[Problem]:
    if not isinstance(part, dict):
        yield Problem(f"{prefix}-PART-TYPE", at, {"found": shown(part)}, excerpt(part))
        return
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in allowed:
        found = shown(kind) if "type" in part else fields_of(part)
        yield Problem(f"{prefix}-PART-KIND", at, {"found": found, "kinds": ", ".join(sorted(allowed, reverse=True))})
    elif kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if not isinstance(url, str) or blank(url):
            yield Problem(f"{prefix}-IMAGE-URL", at, {"found": shown(image if url is None else url)})
    elif not isinstance(part.get(kind), str) or blank(part[kind]):
        text = part.get(kind)
        found = shown(text) if kind in part else fields_of(part)
        yield Problem(f"{prefix}-PART-TEXT", at, {"field": kind, "found": found}, excerpt(text))


def said(content: str | list[Any]) -> str:
    """A right content as one text: of an image it has the address."""
    return content if isinstance(content, str) else "\n".join(map(_said, content))


def _said(part: Mapping[str, Any]) -> str:
    value = part[part["type"]]
    return str(value["url"] if isinstance(value, dict) else value)
