"""The `filter` of listings as text to a tree, in the language of https://google.aip.dev/160.

Left out, and refused by name: bare words without a field, and functions. `OR` binds tighter than `AND`; conditions
side by side are joined by AND.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from ...http import GoogleError

Operator = Literal["=", "!=", "<", "<=", ">", ">=", ":"]
# Deeper brackets than any filter needs would exhaust the host.
_DEPTH: Final = 50
_FIELD = re.compile(r"[A-Za-z_][\w.\-]*")
_OPERATOR = re.compile(r"!=|<=|>=|=|:|<|>")
_TEXT = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'")
_WORD = re.compile(r"[^\s()\"'<>=]+")
_SPACE = re.compile(r"\s*")
_KEYWORD = re.compile(r"(AND|OR|NOT)(?=[\s(])")


@dataclass(frozen=True)
class Comparison:
    """`field operator value`; `quoted` tells the text `"*"` from the wildcard."""

    field: str
    operator: Operator
    value: str
    quoted: bool


@dataclass(frozen=True)
class Not:
    """Neither."""

    of: Node


@dataclass(frozen=True)
class All:
    """Every one of them; true when there are none."""

    of: tuple[Node, ...]


@dataclass(frozen=True)
class Some:
    """At least one of them."""

    of: tuple[Node, ...]


Node = Comparison | Not | All | Some


def parse_filter(text: str) -> Node:
    """The tree of a filter; an empty one is true of everything. INVALID_ARGUMENT with the place that is wrong."""
    reader = _Reader(text)
    node = reader.conjunction(0)
    if reader.place < len(text):
        raise reader.refused("AND, OR or the end of the filter")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.place = 0
        self._skip()

    def conjunction(self, depth: int) -> Node:
        """Conditions joined by AND, or by nothing, up to the end or a closing bracket."""
        if depth > _DEPTH:
            raise self.refused(f"at most {_DEPTH} brackets within each other, not more")
        found: list[Node] = []
        while self.place < len(self._text) and self._text[self.place] != ")":
            if found:
                self._take("AND")
            found.append(self._disjunction(depth))
        return found[0] if len(found) == 1 else All(tuple(found))

    def _disjunction(self, depth: int) -> Node:
        found = [self._term(depth)]
        while self._take("OR"):
            found.append(self._term(depth))
        return found[0] if len(found) == 1 else Some(tuple(found))

    def _term(self, depth: int) -> Node:
        if self._take("NOT") or self._symbol("-"):
            return Not(self._simple(depth))
        return self._simple(depth)

    def _simple(self, depth: int) -> Node:
        if not self._symbol("("):
            return self._comparison()
        inner = self.conjunction(depth + 1)
        if not self._symbol(")"):
            raise self.refused("a closing bracket")
        return inner

    def _comparison(self) -> Comparison:
        field = None if _KEYWORD.match(self._text, self.place) else self._match(_FIELD)
        if field is None:
            raise self.refused("a field such as state")
        operator = self._match(_OPERATOR)
        if operator is None:
            raise self.refused(f"one of = != < <= > >= : after {field[0]}")
        quoted = self._match(_TEXT)
        if quoted is not None:
            value = re.sub(r"\\(.)", r"\1", quoted[1] if quoted[1] is not None else quoted[2])
        else:
            word = self._match(_WORD)
            if word is None:
                raise self.refused("a value, in quotes when it has spaces")
            value = word[0]
        return Comparison(field[0], operator[0], value, quoted is not None)  # type: ignore[arg-type]

    def _take(self, keyword: str) -> bool:
        found = _KEYWORD.match(self._text, self.place)
        if found is None or found[1] != keyword:
            return False
        self.place = found.end()
        self._skip()
        return True

    def _symbol(self, symbol: str) -> bool:
        if not self._text.startswith(symbol, self.place):
            return False
        self.place += 1
        self._skip()
        return True

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self.place)
        if found is not None:
            self.place = found.end()
            self._skip()
        return found

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self.place)
        assert space is not None
        self.place = space.end()

    def refused(self, expected: str) -> GoogleError:
        """The refusal of what stands here."""
        rest = self._text[self.place : self.place + 20]
        found = f"found {rest!r} at character {self.place + 1}" if rest else "found its end"
        return GoogleError("INVALID_ARGUMENT", f"filter: expected {expected}; {found}")
