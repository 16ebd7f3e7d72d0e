"""The state of a running execution: what all its branches share, and what each branch has of its own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from ...clock import Clock
from .. import limits
from ..connectors import Connectors
from ..errors import TraceElement, WorkflowError, recursion_error, resource_limit_error
from ..language.syntax import Action, Program, Routine, Step
from ..library import function_of
from ..stdlib import CONSTANTS
from ..stdlib.signature import Function, Pure, bind_positional
from .control import Control
from .http_client import HttpClient
from .journal import Commit, Journal
from .observer import Entry, Kind, Observer, Tally, ValueKind, kind_of
from .scope import Memory

LOG = logging.getLogger("localcloud.workflows")
# An execution lets the others run after so many steps of one branch.
STEPS_WITHOUT_PAUSE = 200
BYTES_LIKE_A_STEP = 2048


class CallbackPort(Protocol):
    """What the library needs of callback endpoints."""

    def create(self, execution: str, method: str) -> str:
        """The URL of a new endpoint."""
        ...

    async def wait(self, execution: str, url: str, deadline: float) -> tuple[dict[str, Any], Commit]:
        """The next request, and what takes it off the endpoint. WorkflowError when none came in time."""
        ...


@dataclass(slots=True)
class Frame:
    """A routine being run and the step it is at."""

    routine: str
    step: Step | None


class Turns:
    """Lets executions that compute take turns: one goes on in each round of the event loop, the others wait in line.

    So a server with many busy executions still answers after the steps of one, not after those of all. `waiting`
    counts those who have more to do.
    """

    def __init__(self) -> None:
        self._line: deque[asyncio.Future[None]] = deque()
        self.waiting = 0

    async def next(self) -> None:
        """Return when it is the caller's turn again."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._line.append(turn)
        if len(self._line) == 1:
            loop.call_soon(self._give, loop)
        self.waiting += 1
        try:
            await turn
        finally:
            self.waiting -= 1

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = self._line.popleft()
        if not turn.done():
            turn.set_result(None)
        if self._line:
            loop.call_soon(self._give, loop)


@dataclass
class Run:
    """What all branches of an execution share."""

    execution: str
    program: Program
    environment: Mapping[str, str]
    clock: Clock
    http: HttpClient
    callbacks: CallbackPort
    journal: Journal
    perform: Callable[[Strand, Routine, Mapping[str, Any]], Awaitable[Any]]
    turns: Turns
    connectors: Connectors
    observer: Observer | None = None
    # The observer once more, if it is one that may come to want no more than counts.
    tally: Tally | None = None

    def __post_init__(self) -> None:
        # The observer once more, if it wants values.
        self.values = self.observer if self.observer is not None and self.observer.wants_values else None
        self.memory = Memory()
        self.steps = 0
        self.main = Strand(self, "", 0, [])

    @functools.cached_property
    def slots(self) -> asyncio.Semaphore:
        """The places for branches that run at the same time."""
        return asyncio.Semaphore(limits.CONCURRENT_BRANCHES)

    def result(self, arguments: Mapping[str, Any]) -> Awaitable[Any]:
        """What `main` returns. WorkflowError when the execution fails."""
        return self.perform(self.main, self.program.main, arguments)


class Strand:
    """One line of steps: the main one, or a parallel branch. `path` begins the journal paths of its effects."""

    __slots__ = ("_effects", "_entries", "_path", "_until_pause", "counted", "entry", "frames", "nesting", "run")

    def __init__(self, run: Run, path: str, nesting: int, frames: Sequence[Frame], entry: Entry | None = None) -> None:
        self.run = run
        self.nesting = nesting
        # What is being run, innermost; only kept while somebody observes.
        self.entry = entry
        self.counted = False  # whether what is being run is a simple step that is only counted
        self._entries = 0
        self.frames = [Frame(frame.routine, frame.step) for frame in frames]
        self._path = path
        self._effects = 0
        self._until_pause = STEPS_WITHOUT_PAUSE

    def branch(self, path: str) -> Strand:
        """A parallel branch that starts here; `path` comes from `next_path`, with the branch's number."""
        return Strand(self.run, path + "/", self.nesting + 1, self.frames, self.entry)

    def next_path(self) -> str:
        """The journal path of this strand's next effect."""
        self._effects += 1
        return f"{self._path}{self._effects}"

    # --- steps and frames

    def enter(self, step: Step) -> bool:
        """Count a step and note where we are; True when it is time to `pause`."""
        run = self.run
        run.steps += 1
        if run.steps > limits.STEPS:
            raise resource_limit_error(f"the execution ran {limits.STEPS} steps, which is the limit")
        self.frames[-1].step = step
        self._until_pause -= 1
        return self._until_pause <= 0

    def weigh(self, size_bytes: int) -> None:
        """Let a large value count like steps, since copying and measuring it takes as long."""
        self._until_pause -= size_bytes // BYTES_LIKE_A_STEP

    async def pause(self) -> None:
        """Let other executions run."""
        self._until_pause = STEPS_WITHOUT_PAUSE
        await self.run.turns.next()
        await self.resumed()

    async def count_step(self) -> None:
        """Count something that the current step does as a step of its own."""
        step = self.frames[-1].step
        if step is not None and self.enter(step):
            await self.pause()

    def push(self, routine: str) -> None:
        """Enter a routine. RecursionError when the stack is too deep."""
        if len(self.frames) >= limits.CALL_DEPTH:
            raise recursion_error(f"the call stack is deeper than {limits.CALL_DEPTH}")
        self.frames.append(Frame(routine, None))

    def pop(self) -> None:
        """Leave a routine."""
        self.frames.pop()

    def locate(self, error: WorkflowError) -> None:
        """Note where an error came from, unless that is known."""
        if error.trace is None:
            error.trace = tuple(
                TraceElement(frame.step.name, frame.routine, frame.step.position)
                for frame in reversed(self.frames)
                if frame.step is not None
            )

    # --- what observers are told (see `observer`)

    def begin(self, observer: Observer, step: Step, action: Action, before: Step | None = None) -> Entry:
        """Tell that a step begins after another of its block, or the action of a switch's condition within one."""
        return self._begin(observer, kind_of(action, self.run.program.routines), step, action, None, "", before)

    def count(self, tally: Tally, step: Step, before: Step | None) -> None:
        """Tell that a simple step has ended, without an entry for it."""
        kind = kind_of(step.action, self.run.program.routines)
        tally.passed(self.frames[-1].routine, step, kind, None, before)

    def end(self, observer: Observer, entry: Entry, control: Control, error: WorkflowError | None = None) -> None:
        """Tell that an entry ends."""
        self.entry = entry.parent
        observer.ended(entry, control, error)

    def part(self, kind: Kind, index: int | None = None, label: str = "") -> contextlib.AbstractContextManager[None]:
        """A block that is a part of the current step."""
        observer = self.run.observer
        if self.counted and self.run.tally is not None:
            frame = self.frames[-1]
            assert frame.step is not None
            self.run.tally.passed(frame.routine, frame.step, kind, index, None)
            return _UNOBSERVED
        return _UNOBSERVED if observer is None else _Part(self, observer, kind, index, label)

    def note(self, kind: ValueKind, name: str, value: Any) -> None:
        """Tell a value; only called when `run.values` is there."""
        if self.run.values is not None and self.entry is not None:
            self.run.values.noted(self.entry, kind, name, value)

    def _begin(
        self,
        observer: Observer,
        kind: Kind,
        step: Step,
        action: Action | None,
        index: int | None,
        label: str,
        before: Step | None = None,
    ) -> Entry:
        self._entries += 1
        routine = self.frames[-1].routine
        entry = Entry(self._path, self._entries, self.entry, kind, routine, step, action, index, label, before)
        self.entry = entry
        observer.began(entry)
        return entry

    # --- effects

    def effect(self, action: Callable[[], Awaitable[Any]], and_then: Commit | None = None) -> Awaitable[Any]:
        """Perform something whose outcome must survive a restart (see `Journal.effect`)."""
        return self.run.journal.effect(self.next_path(), action, and_then)

    async def resumed(self) -> None:
        """Record that this branch goes on now, between others; a lone strand needs no record."""
        if self.nesting:
            await self.effect(_nothing)

    async def now(self) -> float:
        """The time, the same one after a restart."""

        async def read() -> float:
            return self.run.clock.now()

        return float(await self.effect(read))

    async def sleep_until(self, deadline: float) -> None:
        """Return when the clock has reached `deadline`."""

        await self.effect(functools.partial(self.run.clock.sleep_until, deadline))

    # --- what expressions may use

    async def call(self, function: str, arguments: Sequence[Any]) -> Any:
        """A routine or a library function with positional arguments."""
        routine = self.run.program.routines.get(function)
        if routine is not None:
            return await self.run.perform(self, routine, bind_positional(function, routine.parameters, arguments))
        known = function_of(function)
        assert known is not None  # checked at deployment
        named = bind_positional(function, known.parameters, arguments)
        return await self.call_library(known, named)

    async def call_library(self, function: Function, named: Mapping[str, Any]) -> Any:
        """A library function with arguments by name, whose types are checked here."""
        arguments = function.check(named)
        if isinstance(function, Pure):
            return function.body(*arguments)
        return await function.body(self, *arguments)

    def constant(self, name: str) -> Any:
        """A constant of the library; the host's KeyError when there is none."""
        return CONSTANTS[name]


class _Part:
    """A part of the current step, from the beginning of a `with` block to its end."""

    __slots__ = ("_entry", "_index", "_kind", "_label", "_observer", "_strand")

    def __init__(self, strand: Strand, observer: Observer, kind: Kind, index: int | None, label: str) -> None:
        self._strand = strand
        self._observer = observer
        self._kind = kind
        self._index = index
        self._label = label

    def __enter__(self) -> None:
        strand = self._strand
        around = strand.entry
        assert around is not None
        self._entry = strand._begin(self._observer, self._kind, around.step, None, self._index, self._label)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._strand.end(self._observer, self._entry, None)
        elif isinstance(error, WorkflowError):
            self._strand.locate(error)
            self._strand.end(self._observer, self._entry, None, error)
        else:
            # Cancelled: the entry stays open.
            self._strand.entry = self._entry.parent


_UNOBSERVED = contextlib.nullcontext()


async def _nothing() -> None:
    return None
