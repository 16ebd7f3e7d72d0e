"""The texts of a typed row: by the field that statistics count them under, or by where they stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from .formats.fields import escaped


def texts_of_fields(row: Any) -> Mapping[str, Sequence[str]]:
    """The texts of a row of any format: by the name of their field, or by the role whose turn they are."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in type(row).__struct_fields__:
        value = getattr(row, name)
        if isinstance(value, str):
            found[name].append(value)
        elif name in ("messages", "contents"):
            for turn in value:
                found[turn.role].extend(_said(turn))
        elif name == "systemInstruction":
            found[name].extend(_said(value))
        elif name == "completions":
            for completion in value:
                found["completion"].extend(_said(completion.completion))
        elif name in ("preferred_output", "non_preferred_output"):
            found[name].extend(text for turn in value for text in _said(turn))
        elif name == "input" and value is not msgspec.UNSET:
            for turn in value.messages:
                found[turn.role].extend(_said(turn))
        elif name == "request":
            found["text"].extend(part["text"] for turn in value.contents for part in turn.parts if "text" in part)
    return found


def texts_by_pointer(row: Any) -> Iterator[tuple[str, str]]:
    """Every text of a row of any format, with its JSON pointer (RFC 6901)."""
    return _texts(msgspec.to_builtins(row), "")


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{at}/{escaped(key)}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{at}/{index}")


def _said(turn: Any) -> Iterable[str]:
    """The text of a turn, or of a Content, as one; nothing where it is none."""
    if turn is msgspec.UNSET:
        return ()
    if isinstance(content := getattr(turn, "content", None), str):
        return (content,)
    texts = [part.text for part in getattr(turn, "parts", ()) if isinstance(part.text, str)]
    return ("".join(texts),) if texts else ()
