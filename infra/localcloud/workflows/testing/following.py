"""Which step is being run: for those who are called from within it, and as a list of all steps that were."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ..errors import WorkflowError
from ..language.syntax import Try
from ..language.walk import is_bare
from ..running.control import Control
from ..running.observer import PARTS, Entry, Kind, ValueKind

# Each parallel branch is a task of its own, with its own context.
_CURRENT: ContextVar[Entry | None] = ContextVar("current entry", default=None)


def current_entry() -> Entry | None:
    """What the running task is at, innermost."""
    return _CURRENT.get()


@dataclass(frozen=True)
class RunStep:
    """A step that was run, as often as it was."""

    routine: str
    name: str

    def __str__(self) -> str:
        return f"{self.routine}.{self.name}"


def is_step(entry: Entry) -> bool:
    """Whether an entry is a step of its own, rather than a part of one, a condition's action, or a bare try action."""
    around = entry.parent
    if entry.kind in PARTS or (around is not None and around.kind is Kind.CONDITION):
        return False
    attempt = around.parent if around is not None and around.kind in (Kind.TRY, Kind.RETRY) else None
    return attempt is None or not (isinstance(attempt.action, Try) and is_bare(attempt.action.body))


class Following:
    """An observer that keeps the current entry and the steps in the order in which they began."""

    wants_values = False

    def __init__(self) -> None:
        self.steps: list[RunStep] = []

    def began(self, entry: Entry) -> None:
        """Note where we are, and each step that is written as one."""
        _CURRENT.set(entry)
        if is_step(entry):
            self.steps.append(RunStep(entry.routine, entry.name))

    def noted(self, entry: Entry, kind: ValueKind, name: str, value: Any) -> None:
        """Not asked for."""

    def ended(self, entry: Entry, control: Control, error: WorkflowError | None) -> None:
        """Back to what is around it."""
        _CURRENT.set(entry.parent)
