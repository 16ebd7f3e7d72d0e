"""Reading YAML by shape: maps with known keys, lists, numbers, strings. What is wrong is noted with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..errors import Position, Problem, WorkflowError
from ..language.source import Entry, Scalar, Sequence, Tree
from ..language.source import Mapping as MappingTree
from ..values import is_number, to_json
from .cases import Value
from .matchers import ANY_OF, MATCHERS


class Shapes:
    """Reads each shape; what is wrong goes to `problems`, and something harmless is returned in its place."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, message: str, position: Position) -> None:
        """Note a problem."""
        self.problems.append(Problem(message, position))

    def fields(self, tree: Tree, what: str, allowed: Iterable[str], required: Iterable[str] = ()) -> dict[str, Entry]:
        """The entries of a map with `required` keys and none but `allowed`."""
        if not isinstance(tree, MappingTree):
            self.problem(f"{what} must be a map", tree.position)
            return {}
        allowed = tuple(allowed)
        for entry in tree.entries:
            if entry.key not in allowed:
                self.problem(f"{what} has no key {entry.key!r}; allowed: {', '.join(allowed)}", entry.position)
        found = {entry.key: entry for entry in tree.entries if entry.key in allowed}
        for key in required:
            if key not in found:
                self.problem(f"{what} lacks {key!r}", tree.position)
        return found

    def items(self, entry: Entry | None) -> tuple[Tree, ...]:
        """The items of a list; none when the entry is not there."""
        if entry is None:
            return ()
        if not isinstance(entry.value, Sequence):
            self.problem(f"{entry.key} must be a list", entry.value.position)
            return ()
        return entry.value.items

    def value(self, entry: Entry | None) -> Value | None:
        """Any value, with its matchers checked."""
        if entry is None:
            return None
        self.check_matchers(entry.value)
        return Value(plain(entry.value))

    def check_matchers(self, tree: Tree) -> None:
        """Keys that begin with $ must be matchers, alone in their map."""
        match tree:
            case MappingTree(entries=entries):
                for entry in entries:
                    if entry.key.startswith("$") and (entry.key not in MATCHERS or len(entries) > 1):
                        known = ", ".join(MATCHERS)
                        self.problem(f"{entry.key} is no matcher alone in its map; known: {known}", entry.position)
                    if entry.key in ("$regex", "$any"):
                        self.check_operand(entry)
                    self.check_matchers(entry.value)
            case Sequence(items=items):
                for item in items:
                    self.check_matchers(item)

    def check_operand(self, entry: Entry) -> None:
        """A `$regex` must be a pattern, an `$any` a type."""
        if entry.key == "$any":
            self.one_of(entry, ANY_OF)
        elif (pattern := self.text(entry)) is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                self.problem(f"not a regular expression: {error}", entry.value.position)

    def json(self, entry: Entry) -> Any:
        """A value that JSON can hold; null instead of another one."""
        value = plain(entry.value)
        try:
            to_json(value)
        except WorkflowError as error:
            self.problem(error.headline(), entry.value.position)
            return None
        return value

    def text(self, entry: Entry | None) -> str | None:
        """A string."""
        if entry is None:
            return None
        found = plain(entry.value)
        if not isinstance(found, str):
            self.problem(f"{entry.key} must be a string", entry.value.position)
            return None
        return found

    def one_of(self, entry: Entry | None, allowed: Iterable[str]) -> str | None:
        """One of some words."""
        found = self.text(entry)
        if entry is not None and found is not None and found not in (words := tuple(allowed)):
            self.problem(f"{entry.key} must be one of {', '.join(words)}", entry.value.position)
            return None
        return found

    def number(self, entry: Entry | None, default: float) -> float:
        """A number that is not negative."""
        if entry is None:
            return default
        found = plain(entry.value)
        if not is_number(found) or found < 0:
            self.problem(f"{entry.key} must be a number, 0 or more", entry.value.position)
            return default
        return float(found)

    def integer(self, entry: Entry | None, default: int, minimum: int, maximum: int) -> int:
        """An integer between bounds."""
        if entry is None:
            return default
        found = plain(entry.value)
        if type(found) is not int or not minimum <= found <= maximum:
            self.problem(f"{entry.key} must be an integer from {minimum} to {maximum}", entry.value.position)
            return default
        return found

    def mapping(self, entry: Entry | None) -> dict[str, Any]:
        """A map of any values."""
        if entry is None:
            return {}
        self.check_matchers(entry.value)
        found = plain(entry.value)
        if not isinstance(found, dict):
            self.problem(f"{entry.key} must be a map", entry.value.position)
            return {}
        return found

    def strings(self, entry: Entry | None) -> dict[str, str]:
        """A map of strings; numbers and booleans are refused, since YAML may have changed their text."""
        found = self.mapping(entry)
        for key, value in found.items():
            if entry is not None and not isinstance(value, str):
                self.problem(f"{entry.key}.{key} must be a string; put it in quotes", entry.value.position)
        return {key: str(value) for key, value in found.items()}


def plain(tree: Tree) -> Any:
    """The value of a tree."""
    match tree:
        case Scalar(value=value):
            return value
        case Sequence(items=items):
            return [plain(item) for item in items]
        case MappingTree(entries=entries):
            return {entry.key: plain(entry.value) for entry in entries}
