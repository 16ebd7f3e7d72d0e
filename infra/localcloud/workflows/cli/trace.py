"""The steps of a running execution, line by line while they happen; what repeats is counted, not repeated."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from ...clock import Clock
from ..errors import WorkflowError
from ..language.syntax import Call
from ..running.control import Control, Goto
from ..running.observer import Entry, Kind, ValueKind
from ..testing.following import is_step

# So many iterations, or rounds through the same steps, are shown in full.
SHOWN_ROUNDS = 2
_VALUE_CHARACTERS = 100
_NAME_COLUMNS = 34
_ITERATION = "iteration"
# Told as soon as they begin, since that may be all there is to see for hours.
_WAITS = ("sys.sleep", "sys.sleep_until", "events.await_callback")
_WORDS = {
    Kind.ASSIGN: "assign",
    Kind.STD_LIB_CALL: "call",
    Kind.CONNECTOR_CALL: "call",
    Kind.SUBWORKFLOW_CALL: "call",
    Kind.SWITCH: "switch",
    Kind.CONDITION: "condition",
    Kind.FOR: "for",
    Kind.FOR_ITERATION: "iteration",
    Kind.PARALLEL_FOR: "parallel",
    Kind.PARALLEL_BRANCH: "parallel",
    Kind.PARALLEL_BRANCH_ENTRY: "branch",
    Kind.TRY_RETRY_EXCEPT: "try",
    Kind.RETRY: "retry",
    Kind.EXCEPT: "except",
    Kind.RETURN: "return",
    Kind.RAISE: "raise",
    Kind.GOTO: "next",
    Kind.STEPS: "steps",
}
# Not shown themselves: what is inside stands directly below what is around.
_SILENT = frozenset({Kind.TRY, Kind.CONDITION})


@dataclass
class _Rounds:
    """How often each thing began in one place, and what of it was not shown."""

    begun: Counter[str] = field(default_factory=Counter)
    hidden: int = 0
    hidden_since: float = 0.0


@dataclass
class _Open:
    """An entry under way. `folded`: nothing of it is shown. `shown`: its line is there, since something is inside."""

    entry: Entry
    depth: int
    started: float
    folded: bool
    notes: list[tuple[ValueKind, str, str]] = field(default_factory=list)
    shown: bool = False
    rounds: _Rounds = field(default_factory=_Rounds)


@dataclass(frozen=True)
class TraceLine:
    """One line, as data. `at`: seconds since the start, on the execution's clock; `folded`: steps not shown."""

    depth: int
    routine: str
    step: str
    kind: str
    at: float
    seconds: float | None
    detail: str
    error: str | None = None
    folded: int = 0


class Trace:
    """An observer that gives each line to `show` as soon as it is known."""

    wants_values = True

    def __init__(self, clock: Clock, show: Callable[[TraceLine], None]) -> None:
        self._clock = clock
        self._show = show
        self._start: float | None = None  # when the first step began
        self._open: dict[int, _Open] = {}
        self._rounds = _Rounds()
        self._told: WorkflowError | None = None
        self.steps = 0
        self.seconds = 0.0  # from the beginning of the first step to the end of the last
        self.error: WorkflowError | None = None

    def where(self) -> str | None:
        """The innermost step under way, with routine and line; None before the first and after the last."""
        if not self._open:
            return None
        entry = list(self._open.values())[-1].entry
        return f"step {entry.name} of {entry.routine}, line {entry.step.position.line}"

    def finish(self) -> None:
        """Say what was not shown at the end."""
        self._fold_line(self._rounds, 0)

    # --- the observer's part

    def began(self, entry: Entry) -> None:
        """Show the lines of what is around, whose arguments are known by now."""
        around = self._open.get(id(entry.parent)) if entry.parent is not None else None
        depth = 0 if around is None else around.depth + (around.entry.kind not in _SILENT)
        opened = _Open(entry, depth, self._now(), folded=around is not None and around.folded)
        self._open[id(entry)] = opened
        if entry.kind in _SILENT:
            return
        self.steps += is_step(entry)
        if not opened.folded:
            self._count(self._rounds if around is None else around.rounds, opened)
        if not opened.folded:
            self._show_around(opened)

    def noted(self, entry: Entry, kind: ValueKind, name: str, value: Any) -> None:
        """Keep a value, shortened, for a line of its entry."""
        opened = self._open[id(entry)]
        if opened.folded:
            return
        opened.notes.append((kind, name, _short(value)))
        if kind is ValueKind.ARGUMENTS and isinstance(entry.action, Call) and entry.action.function in _WAITS:
            self._show_begun(opened)

    def ended(self, entry: Entry, control: Control, error: WorkflowError | None) -> None:
        """Show a step, or what came of one that is shown already."""
        opened = self._open.pop(id(entry))
        self.seconds = self._now()
        if entry.parent is None:
            self.error = error
        if opened.folded or entry.kind in _SILENT:
            return
        self._fold_line(opened.rounds, opened.depth + 1)
        seconds = self.seconds - opened.started
        detail = _detail(opened, control)
        told = None if error is None or error is self._told else error.headline()
        if not opened.shown:
            self._show(self._line(opened, _WORDS[entry.kind], opened.started, seconds, detail, told))
        elif detail or told or seconds >= 0.001:
            self._show(self._line(opened, "end", self.seconds, seconds, detail, told))
        self._told = error

    # --- lines

    def _now(self) -> float:
        """Seconds since the first step began, to the microsecond."""
        now = self._clock.now()
        if self._start is None:
            self._start = now
        return round(now - self._start, 6)

    def _show_around(self, opened: _Open) -> None:
        parent = opened.entry.parent
        around = self._open.get(id(parent)) if parent is not None else None
        if around is None:
            return
        self._show_around(around)
        if not around.shown and around.entry.kind not in _SILENT:
            self._show_begun(around)

    def _show_begun(self, opened: _Open) -> None:
        """Show an entry that has not ended yet."""
        word = _WORDS[opened.entry.kind]
        self._show(self._line(opened, word, opened.started, None, _detail(opened, None), None))
        opened.shown = True
        opened.notes = []

    def _count(self, rounds: _Rounds, opened: _Open) -> None:
        entry = opened.entry
        key = _ITERATION if entry.kind is Kind.FOR_ITERATION else f"{entry.kind} {entry.name}"
        rounds.begun[key] += 1
        if rounds.begun[key] <= SHOWN_ROUNDS:
            self._fold_line(rounds, opened.depth)
            return
        opened.folded = True
        if not rounds.hidden:
            rounds.hidden_since = self._now()
        rounds.hidden += 1

    def _fold_line(self, rounds: _Rounds, depth: int) -> None:
        """Say how much was not shown, if anything."""
        if rounds.hidden:
            what = "iterations" if rounds.begun[_ITERATION] else "steps like these"
            seconds = self._now() - rounds.hidden_since
            detail = f"... {rounds.hidden} more {what}"
            self._show(TraceLine(depth, "", detail, "", rounds.hidden_since, seconds, "", folded=rounds.hidden))
        rounds.hidden = 0

    def _line(
        self, opened: _Open, word: str, at: float, seconds: float | None, detail: str, error: str | None
    ) -> TraceLine:
        entry = opened.entry
        return TraceLine(opened.depth, entry.routine, _name(entry), word, at, seconds, detail, error)


def _detail(opened: _Open, control: Control) -> str:
    parts = []
    entry = opened.entry
    if isinstance(entry.action, Call) and not opened.shown:
        given = next((text for kind, _, text in opened.notes if kind is ValueKind.ARGUMENTS), "{}")
        parts.append(entry.action.function if given == "{}" else f"{entry.action.function} {given}")
    for kind, name, text in opened.notes:
        match kind:
            case ValueKind.RESULT if name:
                parts.append(f"-> {name} = {text}")
            case ValueKind.RESULT if text != "null":
                parts.append(f"-> {text}")
            case ValueKind.ASSIGNED | ValueKind.ITEM | ValueKind.CAUGHT:
                parts.append(f"{name} = {text}")
            case ValueKind.RETURNED:
                parts.append(text)
            case ValueKind.EXPECTED:
                parts.append(f"{text} of them")
            case ValueKind.CONDITION if text == "true":
                parts.append(f"condition {int(name) + 1}")
    if isinstance(control, Goto):
        parts.append(f"next: {control.step}")
    return "  ".join(parts)


def styled(line: TraceLine) -> Text:
    """A line for people: when it began, the step, what it is, what it did, how long it took."""
    text = Text()
    text.append(f"{line.at:9.3f}  ", "dim")
    indent = "  " * line.depth
    text.append((indent + line.step).ljust(_NAME_COLUMNS) + " ", "bold" if line.kind != "end" else "dim")
    if line.kind:
        text.append(f"{line.kind:9} ", "cyan")
    text.append(line.detail)
    if line.seconds is not None and line.seconds >= 0.0005:
        text.append(f"  ({line.seconds:.3f} s)", "dim")
    if line.error is not None:
        text.append(f"  ! {_cut(line.error)}", "red")
    text.rstrip()
    return text


def _name(entry: Entry) -> str:
    match entry.kind:
        case Kind.FOR_ITERATION:
            return f"[{entry.index}]"
        case Kind.PARALLEL_BRANCH_ENTRY:
            return entry.label
        case Kind.RETRY:
            return f"{entry.name} again, {entry.index}"
        case _:
            return entry.name


def _short(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return _cut(json.dumps(value, ensure_ascii=False, default=lambda item: f"{len(item)} bytes"))


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE_CHARACTERS else f"{text[: _VALUE_CHARACTERS - 4]} ..."
