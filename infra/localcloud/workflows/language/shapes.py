"""The shapes that a definition is made of: maps with known fields, lists, names, values.

A reader notes what is wrong and goes on wherever it can, so that all problems are told at once; where it cannot, the
part is refused as a SourceError, which `collecting` notes before the next part is read.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from ..errors import Position, Problem, SourceError
from .hints import did_you_mean
from .source import Entry, Mapping, Scalar, Sequence, Tree
from .syntax import Template
from .templates import template

VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Shapes:
    """Reads shapes. `problems` is where everything wrong is noted."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def note(self, message: str, position: Position, step: str | None) -> None:
        """Keep a problem and go on."""
        self._problems.append(Problem(message, position, step))

    @contextlib.contextmanager
    def collecting(self) -> Iterator[None]:
        """Note what the block refuses; what it would have read is left out."""
        try:
            yield
        except SourceError as error:
            self._problems.extend(error.problems)

    def mapping(
        self, tree: Tree, step: str | None, what: str, *, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, Tree]:
        """The fields of a map that must have all of `required`; fields beside these and `optional` are noted."""
        if not isinstance(tree, Mapping):
            raise refusal(f"{what} must be a map", tree.position, step)
        required = tuple(required)
        allowed = (*required, *optional)
        for entry in tree.entries:
            if entry.key not in allowed:
                self.unknown_field(entry, allowed, step, what)
        fields = {entry.key: entry.value for entry in tree.entries}
        missing = [name for name in required if name not in fields]
        if missing:
            raise refusal(f"{what} lacks {', '.join(map(repr, missing))}", tree.position, step)
        return fields

    def unknown_field(self, entry: Entry, allowed: Iterable[str], step: str | None, what: str = "a step") -> None:
        """Note a field that may not be there."""
        choices = tuple(dict.fromkeys(allowed))
        hint = did_you_mean(entry.key, choices)
        listed = f"{' Allowed' if hint else '; allowed'} here: {', '.join(choices)}"
        self.note(f"{what} has an unknown field {entry.key!r}{hint}{listed}", entry.position, step)

    def sequence(self, tree: Tree, step: str | None, what: str, maximum: int | None = None) -> tuple[Tree, ...]:
        """The items of a non-empty list; more than `maximum` are noted."""
        if not isinstance(tree, Sequence) or not tree.items:
            raise refusal(f"{what} must be a list with at least one entry", tree.position, step)
        if maximum is not None and len(tree.items) > maximum:
            self.note(f"{what} has {len(tree.items)} entries; at most {maximum} are allowed", tree.position, step)
        return tree.items

    def single(self, tree: Tree, step: str | None, what: str) -> Entry:
        """The entry of a map that must have exactly one."""
        if not isinstance(tree, Mapping) or len(tree.entries) != 1:
            raise refusal(f"{what} must be a map with exactly one key", tree.position, step)
        return tree.entries[0]

    def variable(self, tree: Tree, step: str | None, what: str) -> str:
        """A variable's name."""
        if not isinstance(tree, Scalar) or not isinstance(tree.value, str) or not VARIABLE.fullmatch(tree.value):
            message = f"{what} must be a variable name: a letter or underscore, then letters, digits, underscores"
            raise refusal(message, tree.position, step)
        return tree.value

    def text(self, tree: Tree, step: str | None, what: str) -> str:
        """A plain string, no expression."""
        if not isinstance(tree, Scalar) or not isinstance(tree.value, str) or tree.value.startswith("${"):
            raise refusal(f"{what} must be a name, not an expression", tree.position, step)
        return tree.value

    def value(self, tree: Tree, step: str | None) -> Template:
        """The template of a value; expressions that do not parse are noted."""
        return template(tree, step, self._problems)


def refusal(message: str, position: Position, step: str | None) -> SourceError:
    """A part that cannot be read."""
    return SourceError([Problem(message, position, step)])
