"""A definition as the boxes of a drawing: a box per step, sections within it, and the jumps between boxes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..language.syntax import (
    Action,
    Assign,
    Block,
    Call,
    ComputedMap,
    Expression,
    For,
    Jump,
    ListTemplate,
    Literal,
    MapTemplate,
    NamedRetry,
    Parallel,
    Program,
    Raise,
    Return,
    Step,
    Steps,
    Switch,
    Template,
    Try,
)
from ..language.walk import is_bare
from ..running.observer import Kind, kind_of


@dataclass(frozen=True)
class Key:
    """What a box stands for, as step entries name it. `part` is a condition's or a branch's number."""

    routine: str
    step: str
    kind: str
    part: int | None = None


@dataclass(frozen=True)
class Section:
    """A part of a step with its own steps; `target` is where a condition jumps to."""

    key: Key | None
    label: str
    boxes: tuple[Box, ...]
    target: str | None = None


@dataclass(frozen=True)
class Box:
    """A step. `next` is where it jumps to; `passes` says that the following step may come after it."""

    key: Key
    title: str
    detail: str
    line: int
    sections: tuple[Section, ...] = ()
    beside: bool = False
    next: str | None = None
    passes: bool = True


@dataclass(frozen=True)
class RoutineGraph:
    """A routine's boxes, in the order of its steps."""

    name: str
    parameters: tuple[str, ...]
    boxes: tuple[Box, ...] = field(repr=False)


def graphs_of(program: Program) -> list[RoutineGraph]:
    """Every routine of a program, `main` first."""
    routines = sorted(program.routines.values(), key=lambda routine: routine.name != "main")
    return [
        RoutineGraph(
            routine.name,
            tuple(parameter.name for parameter in routine.parameters),
            _Drawer(routine.name, program.routines).boxes(routine.steps),
        )
        for routine in routines
    ]


class _Drawer:
    """Makes the boxes of one routine."""

    def __init__(self, routine: str, routines: Mapping[str, Any]) -> None:
        self._routine = routine
        self._routines = routines

    def boxes(self, block: Block) -> tuple[Box, ...]:
        """A box per step."""
        return tuple(self._box(step, bare=is_bare(block)) for step in block.steps)

    def _box(self, step: Step, *, bare: bool) -> Box:
        key = self._key(step, kind_of(step.action, self._routines))
        return Box(
            key=key,
            title="" if bare else step.name,
            detail=_detail(step.action),
            line=step.position.line,
            sections=tuple(self._sections(step, step.action)),
            beside=isinstance(step.action, Parallel) and step.action.loop is None,
            next=step.next,
            passes=step.next is None and not isinstance(step.action, Return | Raise),
        )

    def _key(self, step: Step, kind: Kind, part: int | None = None) -> Key:
        return Key(self._routine, step.name, kind.value, part)

    def _sections(self, step: Step, action: Action) -> Iterator[Section]:
        match action:
            case Steps(steps=block):
                yield Section(None, "", self.boxes(block))
            case For(steps=block):
                yield Section(self._key(step, Kind.FOR_ITERATION), "", self.boxes(block))
            case Parallel(loop=loop) if loop is not None:
                yield Section(self._key(step, Kind.FOR_ITERATION), "", self.boxes(loop.steps))
            case Parallel(branches=branches):
                for index, branch in enumerate(branches):
                    key = self._key(step, Kind.PARALLEL_BRANCH_ENTRY, index)
                    yield Section(key, branch.name, self.boxes(branch.steps))
            case Try(body=body, handler=handler):
                yield Section(self._key(step, Kind.TRY), "try", self.boxes(body))
                if handler is not None:
                    label = f"except as {handler.variable}"
                    yield Section(self._key(step, Kind.EXCEPT), label, self.boxes(handler.steps))
            case Switch(conditions=conditions):
                for index, condition in enumerate(conditions):
                    yield self._condition(step, index, condition.action, text_of(condition.condition), condition.next)

    def _condition(self, step: Step, index: int, action: Action | None, text: str, target: str | None) -> Section:
        key = self._key(step, Kind.CONDITION, index)
        match action:
            case None:
                return Section(key, text, (), target)
            case Steps(steps=block):
                return Section(key, text, self.boxes(block), target)
            case _:
                inner = Box(
                    key=self._key(step, kind_of(action, self._routines)),
                    title="",
                    detail=_detail(action),
                    line=step.position.line,
                    sections=tuple(self._sections(step, action)),
                    beside=isinstance(action, Parallel) and action.loop is None,
                    passes=False,
                )
                return Section(key, text, (inner,), target)


def _detail(action: Action) -> str:
    match action:
        case Assign(assignments=assignments):
            return "assign " + ", ".join(dict.fromkeys(assignment.target.variable for assignment in assignments))
        case Call(function=function):
            return function
        case Switch():
            return "switch"
        case For():
            return f"for {_loop(action)}"
        case Parallel(loop=loop) if loop is not None:
            return f"parallel for {_loop(loop)}"
        case Parallel(branches=branches):
            return f"parallel, {len(branches)} branches"
        case Try(retry=retry):
            return f"try, retry {_retry(retry)}" if retry is not None else "try"
        case Raise(value=value):
            return f"raise {text_of(value)}"
        case Return(value=value):
            return f"return {text_of(value)}"
        case Steps():
            return "steps"
        case Jump():
            return "next"


def _loop(loop: For) -> str:
    over = loop.items if loop.items is not None else loop.range
    assert over is not None
    return f"{loop.value} in {text_of(over)}"


def _retry(retry: Any) -> str:
    return str(retry.name if isinstance(retry, NamedRetry) else retry.predicate or "on every error")


def text_of(template: Template) -> str:
    """A template on one line, expressions without their `${}`."""
    match template:
        case Literal(value=value):
            return json.dumps(value, ensure_ascii=False, default=str)
        case Expression(text=text):
            return " ".join(text.split())
        case ListTemplate(items=items):
            return f"[{', '.join(map(text_of, items))}]"
        case ComputedMap(entries=entries):
            return "{" + ", ".join(f"{text_of(key)}: {text_of(item)}" for key, item in entries) + "}"
        case MapTemplate(items=mapping):
            return "{" + ", ".join(f"{key}: {text_of(item)}" for key, item in mapping.items()) + "}"
