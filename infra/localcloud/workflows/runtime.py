"""The state of a running execution: what all its branches share, and what each branch has of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..clock import Clock
from . import limits
from .errors import TraceElement, WorkflowError, recursion_error, resource_limit_error
from .http_client import HttpClient
from .journal import Commit, Journal
from .scope import Memory
from .stdlib import CONSTANTS, FUNCTIONS
from .stdlib.signature import Function, Pure, bind_positional
from .syntax import Program, Routine, Step

LOG = logging.getLogger("localcloud.workflows")
# An execution lets the others run after so many steps of one branch.
STEPS_WITHOUT_PAUSE = 200


class CallbackPort(Protocol):
    """What the library needs of callback endpoints."""

    def create(self, execution: str, method: str) -> str:
        """The URL of a new endpoint."""
        ...

    async def wait(self, execution: str, url: str, deadline: float) -> tuple[dict[str, Any], Commit]:
        """The next request, and what takes it off the endpoint. WorkflowError when none came in time."""
        ...


@dataclass
class Frame:
    """A routine being run and the step it is at."""

    routine: str
    step: Step | None


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

    def __post_init__(self) -> None:
        self.memory = Memory()
        self.slots = asyncio.Semaphore(limits.CONCURRENT_BRANCHES)
        self.steps = 0
        self.pausing = 0
        self.main = Strand(self, "", 0, [])

    async def result(self, arguments: Mapping[str, Any]) -> Any:
        """What `main` returns. WorkflowError when the execution fails."""
        return await self.perform(self.main, self.program.main, arguments)


class Strand:
    """One line of steps: the main one, or a parallel branch. `path` begins the journal paths of its effects."""

    __slots__ = ("_effects", "_path", "_until_pause", "frames", "nesting", "run")

    def __init__(self, run: Run, path: str, nesting: int, frames: Sequence[Frame]) -> None:
        self.run = run
        self.nesting = nesting
        self.frames = [Frame(frame.routine, frame.step) for frame in frames]
        self._path = path
        self._effects = 0
        self._until_pause = STEPS_WITHOUT_PAUSE

    def branch(self, path: str) -> Strand:
        """A parallel branch that starts here; `path` comes from `next_path`, with the branch's number."""
        return Strand(self.run, path + "/", self.nesting + 1, self.frames)

    def next_path(self) -> str:
        """The journal path of this strand's next effect."""
        self._effects += 1
        return f"{self._path}{self._effects}"

    # --- steps and frames

    async def enter(self, step: Step) -> None:
        """Count a step and note where we are; now and then let other executions run."""
        run = self.run
        run.steps += 1
        if run.steps > limits.STEPS:
            raise resource_limit_error(f"the execution ran {limits.STEPS} steps, which is the limit")
        self.frames[-1].step = step
        self._until_pause -= 1
        if self._until_pause == 0:
            self._until_pause = STEPS_WITHOUT_PAUSE
            run.pausing += 1
            await asyncio.sleep(0)
            run.pausing -= 1
            await self.resumed()

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

    # --- effects

    async def effect(self, action: Callable[[], Awaitable[Any]], and_then: Commit | None = None) -> Any:
        """Perform something whose outcome must survive a restart (see `Journal.effect`)."""
        return await self.run.journal.effect(self.next_path(), action, and_then)

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

        async def wait() -> None:
            await self.run.clock.sleep(deadline - self.run.clock.now())

        await self.effect(wait)

    # --- what expressions may use

    async def call(self, function: str, arguments: Sequence[Any]) -> Any:
        """A routine or a library function with positional arguments."""
        routine = self.run.program.routines.get(function)
        if routine is not None:
            return await self.run.perform(self, routine, bind_positional(function, routine.parameters, arguments))
        known = FUNCTIONS[function]
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


async def _nothing() -> None:
    return None
