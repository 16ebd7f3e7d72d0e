"""Which steps and branches of a definition were run, over any number of executions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import Position, WorkflowError
from ..language.syntax import Action, Parallel, Program, Step, Switch, Try
from ..language.walk import actions_of, steps_of
from ..lint.flow import always_true
from ..running.control import Control
from ..running.observer import Entry, Kind, ValueKind

# A condition that was true, and one that was looked at and false; a retry and a handler that came to be needed; a
# parallel branch.
Way = Literal["true", "false", "retry", "except", "branch"]
_Key = tuple[int, Way, str]  # the action by its identity, and which of its ways
_NEVER = {
    "true": "condition {} of step {} is never true",
    "false": "condition {} of step {} is never false",
    "retry": "step {1} is never tried again",
    "except": "the except of step {1} is never needed",
    "branch": "branch {0!r} of step {1} never runs",
}


@dataclass(frozen=True)
class Point:
    """Something that a test can come by. `way` is None for a step itself."""

    position: Position
    routine: str
    step: str
    way: Way | None = None
    label: str = ""

    def __str__(self) -> str:
        place = f"{self.routine}.{self.step}"
        return f"step {place} never runs" if self.way is None else _NEVER[self.way].format(self.label, place)


@dataclass(frozen=True)
class Report:
    """What was covered, of what there is."""

    steps: int
    steps_covered: int
    branches: int
    branches_covered: int
    missed: tuple[Point, ...]

    @property
    def percent(self) -> float:
        """Steps and branches together, 0 to 100."""
        total = self.steps + self.branches
        return 100.0 if total == 0 else 100 * (self.steps_covered + self.branches_covered) / total


class Coverage:
    """An observer that notes what executions of one program come by."""

    wants_values = False

    def __init__(self, program: Program) -> None:
        self._program = program
        self._steps: set[int] = set()
        self._ways: set[_Key] = set()
        self._decided: set[int] = set()

    def report(self) -> Report:
        """The sum up to now."""
        steps = list(_steps(self._program))
        ways = list(_ways(self._program))
        missed_steps = [point for key, point in steps if key not in self._steps]
        missed_ways = [point for key, point in ways if key not in self._ways]
        # What a step that never runs would have decided goes without saying.
        unrun = {(point.routine, point.step) for point in missed_steps}
        told = [point for point in missed_ways if (point.routine, point.step) not in unrun]
        return Report(
            steps=len(steps),
            steps_covered=len(steps) - len(missed_steps),
            branches=len(ways),
            branches_covered=len(ways) - len(missed_ways),
            missed=tuple(sorted((*missed_steps, *told), key=lambda p: (p.position.line, p.position.column))),
        )

    # --- the observer's part

    def began(self, entry: Entry) -> None:
        """A step, a true condition, a retry, a handler or a branch begins."""
        self._steps.add(id(entry.step))
        action = None if entry.parent is None else entry.parent.action
        match entry.kind:
            case Kind.CONDITION if entry.parent is not None:
                self._decided.add(id(entry.parent))
                self._ways.add((id(action), "true", str(entry.index)))
                self._ways.update((id(action), "false", str(index)) for index in range(entry.index or 0))
            case Kind.RETRY:
                self._ways.add((id(action), "retry", ""))
            case Kind.EXCEPT:
                self._ways.add((id(action), "except", ""))
            case Kind.PARALLEL_BRANCH_ENTRY:
                self._ways.add((id(action), "branch", entry.label))

    def noted(self, entry: Entry, kind: ValueKind, name: str, value: Any) -> None:
        """Not asked for."""

    def ended(self, entry: Entry, control: Control, error: WorkflowError | None) -> None:
        """A switch that ends without a true condition has looked at all of them."""
        if isinstance(entry.action, Switch):
            if id(entry) not in self._decided and error is None:
                count = len(entry.action.conditions)
                self._ways.update((id(entry.action), "false", str(index)) for index in range(count))
            self._decided.discard(id(entry))


def _steps(program: Program) -> Iterator[tuple[int, Point]]:
    for routine in program.routines.values():
        for step in steps_of(routine.steps):
            yield id(step), Point(step.position, routine.name, step.name)


def _ways(program: Program) -> Iterator[tuple[_Key, Point]]:
    for routine in program.routines.values():
        for step, action in actions_of(routine.steps):
            for way, key, position, label in _ways_of(step, action):
                yield (id(action), way, key), Point(position, routine.name, step.name, way, label)


def _ways_of(step: Step, action: Action) -> Iterator[tuple[Way, str, Position, str]]:
    """Way, key, place and label of each way through an action."""
    match action:
        case Switch(conditions=conditions):
            for index, entry in enumerate(conditions):
                yield "true", str(index), entry.position, str(index + 1)
                if not always_true(entry.condition):
                    yield "false", str(index), entry.position, str(index + 1)
        case Try(retry=retry, handler=handler):
            if retry is not None:
                yield "retry", "", retry.position, ""
            if handler is not None:
                yield "except", "", step.position, ""
        case Parallel(branches=branches):
            for branch in branches:
                yield "branch", branch.name, branch.steps.steps[0].position, branch.name
