"""What a step may answer instead of "go on": control flow as values. `None` means: the following step."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from ..language.syntax import BREAK, CONTINUE, END


@dataclass(frozen=True)
class Goto:
    """Go on at a named step of this block or of one around it."""

    step: str


@dataclass(frozen=True)
class Returned:
    """The routine ends with a value, which may well be null."""

    value: Any


@dataclass(frozen=True)
class Break:
    """The innermost loop ends."""


@dataclass(frozen=True)
class Continue:
    """The innermost loop goes on with its next iteration."""


Control = Goto | Returned | Break | Continue | None


@functools.lru_cache(maxsize=4096)
def control_of(target: str | None) -> Control:
    """What `next: target` means. `end` is a return of null."""
    match target:
        case None:
            return None
        case _ if target == END:
            return Returned(None)
        case _ if target == BREAK:
            return Break()
        case _ if target == CONTINUE:
            return Continue()
        case _:
            return Goto(target)
