"""What the engine tells of a running execution, and to whom.

An observer hears of every step, and of the parts of steps that have a life of their own: the taken condition of a
switch, an iteration, a parallel branch, an attempt of a try block, its handler. Each is an `Entry`; entries nest.

```python
class Trace:
    wants_values = True

    def began(self, entry: Entry) -> None:
        print("begin", entry.id, entry.kind, entry.routine, entry.name)

    def noted(self, entry: Entry, kind: ValueKind, name: str, value: Any) -> None:
        print("value", entry.id, kind, name, to_journal(value))  # at once: the value goes on changing

    def ended(self, entry: Entry, control: Control, error: WorkflowError | None) -> None:
        print("end", entry.id, control, error and error.headline())

await run_source(source, argument, clock=clock, observer=Trace())
Engine(store, clock, http, observe=lambda execution: Trace())  # one per execution, by its name
```

- Time is the observer's own business: it asks the clock that it was made with.
- `entry.id` is the same one when an interrupted execution is run again; what happened before is then told again.
- An execution that is cancelled, or whose engine stops, ends no entry: those under way stay open.
- Observers must not raise and must not change what they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from ..errors import WorkflowError
from ..language.syntax import Action, Assign, Call, For, Jump, Parallel, Raise, Return, Step, Steps, Switch, Try
from .control import Control


class Kind(StrEnum):
    """What an entry is. Values are the service's step types, but for STEPS, which has none there."""

    ASSIGN = "STEP_ASSIGN"
    STD_LIB_CALL = "STEP_STD_LIB_CALL"
    CONNECTOR_CALL = "STEP_CONNECTOR_CALL"
    SUBWORKFLOW_CALL = "STEP_SUBWORKFLOW_CALL"
    SWITCH = "STEP_SWITCH"
    CONDITION = "STEP_CONDITION"
    FOR = "STEP_FOR"
    FOR_ITERATION = "STEP_FOR_ITERATION"
    PARALLEL_FOR = "STEP_PARALLEL_FOR"
    PARALLEL_BRANCH = "STEP_PARALLEL_BRANCH"
    PARALLEL_BRANCH_ENTRY = "STEP_PARALLEL_BRANCH_ENTRY"
    TRY_RETRY_EXCEPT = "STEP_TRY_RETRY_EXCEPT"
    TRY = "STEP_TRY"
    RETRY = "STEP_RETRY"
    EXCEPT = "STEP_EXCEPT"
    RETURN = "STEP_RETURN"
    RAISE = "STEP_RAISE"
    GOTO = "STEP_GOTO"
    STEPS = "STEPS"


# Entries that are steps; the others are parts of one.
PARTS = frozenset({Kind.CONDITION, Kind.FOR_ITERATION, Kind.PARALLEL_BRANCH_ENTRY, Kind.TRY, Kind.RETRY, Kind.EXCEPT})


class ValueKind(StrEnum):
    """What a value is to the entry that it is noted at, and what the name is that comes with it.

    ARGUMENTS   all arguments of a call in one map, told before the call is made; no name
    RESULT      what a call gave; the variable that takes it, or no name
    ASSIGNED    a value of an assign step; the variable, or `variable["key"][0]` for a part of one
    EXPECTED    how many iterations or branches a step is going to have; no name
    CONDITION   true or false; the number of the condition, from "0"; told for each one that was looked at
    ITEM        the value of an iteration; the loop's variable
    CAUGHT      the error that a handler got; the handler's variable
    RETURNED    what a return step returns; no name
    """

    ARGUMENTS = "arguments"
    RESULT = "result"
    ASSIGNED = "assigned"
    EXPECTED = "expected"
    CONDITION = "condition"
    ITEM = "item"
    CAUGHT = "caught"
    RETURNED = "returned"


class Entry:
    """A step, or a part of one, being run once.

    `branch` is the parallel branch ("" for the main line) and `number` counts the entries of that branch from 1.
    `step` is the step that it is or belongs to; `action` what is done: the step's own action, that of a switch's
    condition, or None in a part. `before` is the step of its block that was run before it. `index` counts conditions,
    iterations, branches and retries from 0, `label` is a branch's name.
    """

    __slots__ = ("action", "before", "branch", "index", "kind", "label", "number", "parent", "routine", "step")

    def __init__(
        self,
        branch: str,
        number: int,
        parent: Entry | None,
        kind: Kind,
        routine: str,
        step: Step,
        action: Action | None,
        index: int | None,
        label: str,
        before: Step | None = None,
    ) -> None:
        self.branch = branch
        self.number = number
        self.parent = parent
        self.kind = kind
        self.routine = routine
        self.step = step
        self.action = action
        self.index = index
        self.label = label
        self.before = before

    @property
    def id(self) -> str:
        """Unique within the execution."""
        return f"{self.branch}{self.number}"

    @property
    def name(self) -> str:
        """The name of the step."""
        return self.step.name


class Observer(Protocol):
    """Who listens to one execution. See the module for its use and its duties."""

    @property
    def wants_values(self) -> bool:
        """Whether `noted` is to be called; asked once, before the first step."""
        ...

    def began(self, entry: Entry) -> None:
        """An entry begins; those around it have begun."""
        ...

    def noted(self, entry: Entry, kind: ValueKind, name: str, value: Any) -> None:
        """A value was assigned, passed, decided or returned. It belongs to the execution: copy what is to be kept."""
        ...

    def ended(self, entry: Entry, control: Control, error: WorkflowError | None) -> None:
        """An entry ends: `control` says where a step goes next (None: on to the following one), `error` that it failed.

        Parts of steps have no control of their own.
        """
        ...


class Tally(Protocol):
    """An observer that, once it has heard enough, only wants simple steps counted, which takes a fraction of the time.

    They are told when they have ended well; one that fails begins and ends as an entry after all.
    """

    @property
    def full(self) -> bool:
        """Whether it has heard enough."""
        ...

    def passed(self, routine: str, step: Step, kind: Kind, part: int | None, before: Step | None) -> None:
        """A simple step was run after another of its block, or `part` of one: the taken condition of a switch."""
        ...


class Observers:
    """Several observers as one. Values are told to those that want them."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._all = tuple(observers)
        self._valued = tuple(observer for observer in observers if observer.wants_values)

    @property
    def wants_values(self) -> bool:
        """Whether any of them does."""
        return bool(self._valued)

    def began(self, entry: Entry) -> None:
        """Told to all."""
        for observer in self._all:
            observer.began(entry)

    def noted(self, entry: Entry, kind: ValueKind, name: str, value: Any) -> None:
        """Told to those that want values."""
        for observer in self._valued:
            observer.noted(entry, kind, name, value)

    def ended(self, entry: Entry, control: Control, error: WorkflowError | None) -> None:
        """Told to all."""
        for observer in self._all:
            observer.ended(entry, control, error)


def together(observers: Sequence[Observer]) -> Observer | None:
    """One observer for any number of them; None for none."""
    return observers[0] if len(observers) == 1 else Observers(observers) if observers else None


def kind_of(action: Action, routines: Mapping[str, Any]) -> Kind:
    """The kind of an action; `routines` tells calls of this source from those of the library."""
    if type(action) is Call:
        if action.function in routines:
            return Kind.SUBWORKFLOW_CALL
        return Kind.CONNECTOR_CALL if action.function.startswith("googleapis.") else Kind.STD_LIB_CALL
    if type(action) is Parallel:
        return Kind.PARALLEL_BRANCH if action.loop is None else Kind.PARALLEL_FOR
    return _KINDS[type(action)]


_KINDS: Mapping[type, Kind] = {
    Assign: Kind.ASSIGN,
    For: Kind.FOR,
    Jump: Kind.GOTO,
    Raise: Kind.RAISE,
    Return: Kind.RETURN,
    Steps: Kind.STEPS,
    Switch: Kind.SWITCH,
    Try: Kind.TRY_RETRY_EXCEPT,
}
