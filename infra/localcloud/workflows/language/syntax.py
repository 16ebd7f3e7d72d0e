"""The definition as frozen types: routines, one type per kind of step, and templates for values.

A template is what stands where a value is expected: a YAML value with expressions at any depth. One that `waits` has
a call in it, so that its value may have to be waited for.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from ..errors import Position
from ..expressions import Node, Target, has_call


@dataclass(frozen=True)
class Literal:
    """A value without expressions; copied whenever it is used."""

    value: Any
    position: Position
    waits: ClassVar[bool] = False


@dataclass(frozen=True)
class Expression:
    """`${...}`. `offset_column` is the column of its first character, when it is written on one line."""

    node: Node
    text: str
    position: Position
    offset_column: int | None = None

    @functools.cached_property
    def waits(self) -> bool:
        return has_call(self.node)

    def position_of(self, offset: int) -> Position:
        """Where the character at `offset` of the text stands; the expression's start when that cannot be said."""
        return expression_position(self.position, self.offset_column, offset)


def expression_position(position: Position, offset_column: int | None, offset: int) -> Position:
    """The place of an offset in an expression that starts at `position`."""
    return position if offset_column is None else Position(position.line, offset_column + offset)


@dataclass(frozen=True)
class ListTemplate:
    """A list with an expression somewhere in it."""

    items: tuple[Template, ...]
    position: Position

    @functools.cached_property
    def waits(self) -> bool:
        return any(item.waits for item in self.items)


@dataclass(frozen=True)
class MapTemplate:
    """A map with an expression somewhere in its values."""

    items: Mapping[str, Template]
    position: Position

    @functools.cached_property
    def waits(self) -> bool:
        return any(item.waits for item in self.items.values())


@dataclass(frozen=True)
class ComputedMap:
    """A map with an expression among its keys; of equal keys the last one wins."""

    entries: tuple[tuple[Literal | Expression, Template], ...]
    position: Position

    @property
    def parts(self) -> tuple[Template, ...]:
        """Keys and values, in the order of their evaluation."""
        return tuple(part for entry in self.entries for part in entry)

    @functools.cached_property
    def waits(self) -> bool:
        return any(part.waits for part in self.parts)


Template = Literal | Expression | ListTemplate | MapTemplate | ComputedMap


# What a step does next when it does not simply go on.
END: Final = "end"
BREAK: Final = "break"
CONTINUE: Final = "continue"


@dataclass(frozen=True)
class Assignment:
    """One entry of an assign step."""

    target: Target
    value: Template
    position: Position


@dataclass(frozen=True)
class Assign:
    """Assignments, in order."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True)
class Call:
    """A routine or a library function by name, with arguments by name."""

    function: str
    arguments: Mapping[str, Template]
    result: str | None
    position: Position


@dataclass(frozen=True)
class Condition:
    """One entry of a switch: what is done when `condition` is true, and where to go then."""

    condition: Template
    action: Action | None
    next: str | None
    position: Position
    next_position: Position | None = None


@dataclass(frozen=True)
class Switch:
    """The first true condition wins."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class For:
    """A loop over `items` (`in`) or over the numbers of `range`, both ends included."""

    value: str
    index: str | None
    items: Template | None
    range: Template | None
    steps: Block


@dataclass(frozen=True)
class Branch:
    """A named entry of `parallel.branches`."""

    name: str
    steps: Block


@dataclass(frozen=True)
class Parallel:
    """Branches, or the iterations of a loop, side by side."""

    branches: tuple[Branch, ...]
    loop: For | None
    shared: tuple[str, ...]
    concurrency_limit: Template | None
    position: Position


@dataclass(frozen=True)
class RetryPolicy:
    """A retry map: a predicate by name (None retries on everything), a number of retries, and delays."""

    predicate: str | None
    max_retries: Template
    backoff: Template
    position: Position


@dataclass(frozen=True)
class NamedRetry:
    """`retry: ${http.default_retry}`: a policy of the library."""

    name: str
    position: Position


@dataclass(frozen=True)
class Handler:
    """`except`: the error as a variable, and what is done."""

    variable: str
    steps: Block


@dataclass(frozen=True)
class Try:
    """A block that may be run again, and a handler for what remains."""

    body: Block
    retry: RetryPolicy | NamedRetry | None
    handler: Handler | None


@dataclass(frozen=True)
class Raise:
    """Raises any value."""

    value: Template


@dataclass(frozen=True)
class Return:
    """Ends the routine with a value."""

    value: Template


@dataclass(frozen=True)
class Steps:
    """A nested list of steps, run in place."""

    steps: Block


@dataclass(frozen=True)
class Jump:
    """A step that only has `next`."""


Action = Assign | Call | Switch | For | Parallel | Try | Raise | Return | Steps | Jump


@dataclass(frozen=True)
class Step:
    """A name, one action, and where to go afterwards (None: to the following step)."""

    name: str
    action: Action
    next: str | None
    position: Position
    next_position: Position | None = None

    @functools.cached_property
    def simple(self) -> bool:
        """Whether nothing else is run within it: assignments without calls, jumps, and switches that only jump."""
        match self.action:
            case Assign():
                return not any(entry.value.waits or entry.target.path for entry in self.action.assignments)
            case Switch():
                return not any(entry.condition.waits or entry.action is not None for entry in self.action.conditions)
            case _:
                return isinstance(self.action, Jump)


@dataclass(frozen=True)
class Block:
    """Steps in order. `places` finds a step by name."""

    steps: tuple[Step, ...]
    places: Mapping[str, int] = field(repr=False)

    @classmethod
    def of(cls, steps: tuple[Step, ...]) -> Block:
        """A block with its index."""
        return cls(steps, {step.name: place for place, step in enumerate(steps)})


@dataclass(frozen=True)
class Parameter:
    """A routine's parameter; `default` None means that it must be passed."""

    name: str
    default: Template | None


@dataclass(frozen=True)
class Routine:
    """`main` or a subworkflow."""

    name: str
    parameters: tuple[Parameter, ...]
    steps: Block
    position: Position


@dataclass(frozen=True)
class Program:
    """A whole definition; `routines` always has `main`."""

    routines: Mapping[str, Routine]

    @property
    def main(self) -> Routine:
        """Where an execution starts."""
        return self.routines["main"]
