"""Field masks: ``fields=`` (partial responses), ``readMask`` and ``updateMask``.

Grammar of ``fields`` (https://cloud.google.com/storage/docs/json_api#partial-response): a comma-separated list of
paths, ``a/b`` or ``a.b`` for a child, ``a(b,c)`` for several, ``*`` for every child.
Differs: a path that no resource has selects nothing instead of being refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..http import GoogleError

_TOKEN = re.compile(r"[A-Za-z0-9_\-@:*]+|[,/.()]")


@dataclass
class Mask:
    """A tree of selected fields; one without children selects everything below it."""

    children: dict[str, Mask] = field(default_factory=dict)

    def select(self, value: Any) -> Any:
        """The part of `value` that is selected; lists are selected from item by item."""
        if not self.children:
            return value
        if isinstance(value, list):
            return [self.select(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        kept = {}
        for key, child in value.items():
            branch = self.children.get(key) or self.children.get("*")
            if branch is not None:
                kept[key] = branch.select(child)
        return kept


def parse_mask(text: str) -> Mask:
    """The mask that `text` writes; INVALID_ARGUMENT with the position where it makes no sense."""
    tokens = _tokens(text)
    root = Mask()
    rest = _parse_list(tokens, 0, [root], text)
    if rest != len(tokens):
        raise _bad(text, f"unexpected {tokens[rest]!r}")
    return root


def _tokens(text: str) -> list[str]:
    compact = re.sub(r"\s+", "", text)
    tokens = _TOKEN.findall(compact)
    if "".join(tokens) != compact:
        raise _bad(text, "a character that no field name has")
    return tokens


def _parse_list(tokens: list[str], at: int, parents: list[Mask], text: str) -> int:
    while True:
        at, leaf = _parse_path(tokens, at, parents[-1], text)
        if at < len(tokens) and tokens[at] == "(":
            at = _parse_list(tokens, at + 1, [*parents, leaf], text)
            if at >= len(tokens) or tokens[at] != ")":
                raise _bad(text, "a parenthesis that is not closed")
            at += 1
        if at >= len(tokens) or tokens[at] != ",":
            return at
        at += 1


def _parse_path(tokens: list[str], at: int, parent: Mask, text: str) -> tuple[int, Mask]:
    while True:
        if at >= len(tokens) or not _TOKEN.fullmatch(tokens[at]) or tokens[at] in ",/.()":
            raise _bad(text, "a field name is missing")
        parent = parent.children.setdefault(tokens[at], Mask())
        at += 1
        if at >= len(tokens) or tokens[at] not in "/.":
            return at, parent
        at += 1


def _bad(text: str, found: str) -> GoogleError:
    return GoogleError(
        "INVALID_ARGUMENT", f"invalid field selection {text!r}: {found}; write it like name,state,error/message,a(b,c)"
    )


def camel_case(path: str) -> str:
    """``display_name`` -> ``displayName``: clients write masks and filters in either case."""
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), path)


def update_paths(text: str | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The fields that an ``updateMask`` names, in camel case; INVALID_ARGUMENT when empty or not updatable."""
    paths = tuple(camel_case(part.strip()) for part in (text or "").split(",") if part.strip())
    if not paths:
        raise GoogleError("INVALID_ARGUMENT", f"updateMask is required; it may name {', '.join(allowed)}")
    for path in paths:
        if path not in allowed:
            raise GoogleError("INVALID_ARGUMENT", f"updateMask names {path!r}; only {', '.join(allowed)} can change")
    return paths
