"""Fields that the service does not read but every row of a file has, such as an id: taken along on the fast path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from .formats.fields import escaped, keys_within
from .rowformat import Problem, RowFormat
from .rules import rule

MOST_FIELDS = 50
# The names that a typed row can have: those that JSON need not escape.
_NAME = re.compile(r'[^"\\\x00-\x1f]*')


class Extras:
    """Further fields of a format's rows, each with the finding that is due for it. Without fields, nothing changes."""

    def __init__(self, fmt: RowFormat, problems: Iterable[Problem] = ()) -> None:
        self.format = fmt
        self.problems = tuple(problems)
        self.row: type[Any] = fmt.row
        if self.problems:
            names = {f"extra_{at}": field_of(problem) for at, problem in enumerate(self.problems)}
            fields = [(name, Any, msgspec.UNSET) for name in names]
            self.row = msgspec.defstruct(
                fmt.row.__name__,
                fields,
                bases=(fmt.row,),
                rename=names,
                kw_only=True,
                frozen=True,
                gc=False,
            )

    def keys(self, rows: Sequence[Any]) -> NDArray[np.int32] | int:
        """The keys that further fields add to each row."""
        total: NDArray[np.int32] | int = 0
        for at in range(len(self.problems)):
            total = total + np.fromiter([_keys(getattr(row, f"extra_{at}")) for row in rows], np.int32, len(rows))
        return total

    def plain(self, row: Any) -> Any:
        """The row without further fields, which may hold many times the memory of the others."""
        own = self.format.row
        return own(**{name: getattr(row, name) for name in own.__struct_fields__}) if self.problems else row

    def count(self, rows: Sequence[Any]) -> list[tuple[Problem, int, int]]:
        """The findings due for rows: each with how many rows have the field, and the first of them."""
        found: list[tuple[Problem, int, int]] = []
        for at, problem in enumerate(self.problems):
            have = [getattr(row, f"extra_{at}") is not msgspec.UNSET for row in rows]
            if times := have.count(True):
                found.append((problem, times, have.index(True)))
        return found


def field_of(problem: Problem) -> str:
    """The name of the field that a finding about an unknown field of a row points to."""
    return problem.pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")


def learnable(problems: Sequence[Problem], value: Mapping[str, Any]) -> bool:
    """Whether all that is wrong with a row are fields of its own that no rule but "unknown" is about."""
    pointers = {f"/{escaped(key)}" for key in value if _NAME.fullmatch(key)}
    return bool(problems) and all(
        problem.pointer in pointers and rule(problem.code).kind == "unknown_field" for problem in problems
    )


def _keys(value: Any) -> int:
    """The keys that a field adds: its own, and those within."""
    return 0 if value is msgspec.UNSET else 1 + keys_within(value, 1)
