"""What lint says about a definition, and the text that rules look places up in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ..errors import Position
from ..language.syntax import Program

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One error (the deployment would be refused) or warning (it would not, but it bites later)."""

    severity: Severity
    code: str
    message: str
    position: Position
    step: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class Definition:
    """A parsed definition with its text."""

    program: Program
    lines: tuple[str, ...]

    def locate(self, name: str, after: Position) -> Position:
        """The first place of the word `name` at or below `after`; `after` itself when there is none."""
        word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
        start = after.column - 1
        for number in range(after.line, len(self.lines) + 1):
            found = word.search(self.lines[number - 1], start)
            if found is not None:
                return Position(number, found.start() + 1)
            start = 0
        return after


@dataclass(frozen=True)
class Rule:
    """A warning with a stable code. `why` says what happens on the service, `instead` what to write."""

    code: str
    why: str
    instead: str
    find: Callable[[Definition], Iterator[Finding]]


def warning(code: str, message: str, position: Position, step: str | None, hint: str | None = None) -> Finding:
    """A finding that does not stop a deployment."""
    return Finding("warning", code, message, position, step, hint)
