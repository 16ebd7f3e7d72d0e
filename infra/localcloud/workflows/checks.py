"""What a parsed definition is refused for at deployment: unknown names, bad jumps, blocking calls in expressions,
wrong arguments, and what parallel branches may not do. All problems are collected.

Names are looked up without following the flow: a variable counts as known where any assignment of its routine, in
the same scope or one around it, makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from .connectors import connector_refusal
from .errors import Position, Problem, SourceError
from .expressions.tree import Call as CallNode
from .expressions.tree import Member, Name, Node, children, dotted
from .stdlib import CONSTANTS, FUNCTIONS, PREDICATES
from .stdlib.signature import REQUIRED, Effect
from .syntax import (
    BREAK,
    CONTINUE,
    END,
    Action,
    Assign,
    Block,
    Call,
    Expression,
    For,
    ListTemplate,
    MapTemplate,
    Parallel,
    Program,
    Raise,
    RetryPolicy,
    Return,
    Routine,
    Steps,
    Switch,
    Template,
    Try,
)


def check(program: Program) -> None:
    """SourceError with every problem found."""
    problems = [problem for routine in program.routines.values() for problem in _Checker(program).routine(routine)]
    if problems:
        raise SourceError(problems)


@dataclass(frozen=True)
class _Place:
    """What holds at a step: known variables, jump targets, and the loop and parallel branch around it."""

    variables: frozenset[str]
    targets: frozenset[str] = frozenset()
    in_loop: bool = False
    in_branch: bool = False
    # Variables of scopes around the branch that were assigned before it, less the shared ones.
    read_only: frozenset[str] = frozenset()
    step: str = ""
    position: Position = field(default_factory=lambda: Position(1, 1))

    def problem(self, message: str, position: Position | None = None) -> Problem:
        return Problem(message, position or self.position, self.step or None)


class _Checker:
    def __init__(self, program: Program) -> None:
        self._program = program

    def routine(self, routine: Routine) -> Iterator[Problem]:
        parameters = frozenset(parameter.name for parameter in routine.parameters)
        place = _Place(parameters | assigned(routine.steps), position=routine.position)
        for parameter in routine.parameters:
            if parameter.default is not None:
                yield from self.template(parameter.default, replace(place, variables=frozenset()))
        yield from self.block(routine.steps, place, parameters)

    def block(self, block: Block, place: _Place, before: frozenset[str]) -> Iterator[Problem]:
        """`before`: variables that steps written earlier assign, which is what a parallel step can share."""
        inner = replace(place, targets=place.targets | block.places.keys())
        for step in block.steps:
            here = replace(inner, step=step.name, position=step.position)
            yield from self.action(step.action, here, before)
            yield from self.jump(step.next, here, step.position)
            before |= assigned_by(step.action)

    def action(self, action: Action, place: _Place, before: frozenset[str]) -> Iterator[Problem]:
        match action:
            case Assign(assignments=assignments):
                for assignment in assignments:
                    yield from self.template(assignment.value, place)
                    for node in assignment.target.path:
                        yield from self.node(node, place, assignment.position)
                    yield from self.write(assignment.target.variable, place, assignment.position)
            case Call():
                yield from self.call(action, place)
            case Switch(conditions=conditions):
                for entry in conditions:
                    yield from self.template(entry.condition, place)
                    if entry.action is not None:
                        yield from self.action(entry.action, place, before)
                        before |= assigned_by(entry.action)
                    yield from self.jump(entry.next, place, entry.position)
            case For():
                yield from self.loop(action, place, before)
            case Parallel():
                yield from self.parallel(action, place, before)
            case Try():
                yield from self.attempt(action, place, before)
            case Raise(value=value):
                yield from self.template(value, place)
            case Return(value=value):
                if place.in_branch:
                    yield place.problem("return is not possible inside a parallel branch; assign to a shared variable")
                yield from self.template(value, place)
            case Steps(steps=steps):
                yield from self.block(steps, place, before)

    def loop(self, loop: For, place: _Place, before: frozenset[str]) -> Iterator[Problem]:
        for source in (loop.items, loop.range):
            if source is not None:
                yield from self.template(source, place)
        own = frozenset(name for name in (loop.value, loop.index) if name is not None)
        body = _inner(place, loop.steps, own, targets=frozenset(), in_loop=True)
        yield from self.block(loop.steps, body, before | own)

    def parallel(self, action: Parallel, place: _Place, before: frozenset[str]) -> Iterator[Problem]:
        known = before & place.variables
        for name in action.shared:
            if name not in known:
                yield place.problem(
                    f"shared variable {name!r} is not assigned before the parallel step", action.position
                )
            elif name in place.read_only:
                yield place.problem(
                    f"shared variable {name!r} must be shared by the parallel step around, too", action.position
                )
        if action.concurrency_limit is not None:
            yield from self.template(action.concurrency_limit, place)
        branch = replace(
            place,
            targets=frozenset(),
            in_loop=False,
            in_branch=True,
            read_only=(known | place.read_only) - frozenset(action.shared),
        )
        for steps in (entry.steps for entry in action.branches):
            yield from self.block(steps, _inner(branch, steps, frozenset()), before)
        if action.loop is not None:
            yield from self.loop(action.loop, branch, before)
            yield from self.breaks(action.loop.steps, place)

    def breaks(self, block: Block, place: _Place) -> Iterator[Problem]:
        """`break` cannot end the iterations that run beside this one."""
        for step in block.steps:
            found = [step.next] if step.next == BREAK else []
            nested: Iterable[Block] = ()
            match step.action:
                case Switch(conditions=conditions):
                    found += [entry.next for entry in conditions if entry.next == BREAK]
                    nested = [e.action.steps for e in conditions if isinstance(e.action, Steps)]
                case Steps(steps=steps):
                    nested = [steps]
                case Try(body=body, handler=handler):
                    nested = [body, *([handler.steps] if handler else [])]
            if found:
                yield place.problem("next: break is not possible in a parallel loop", step.position)
            for inner in nested:
                yield from self.breaks(inner, place)

    def attempt(self, action: Try, place: _Place, before: frozenset[str]) -> Iterator[Problem]:
        # A bare action carries the name of its try step, which is no jump target of its own.
        yield from self.block(action.body, place, before)
        if isinstance(action.retry, RetryPolicy):
            yield from self.template(action.retry.max_retries, place)
            yield from self.template(action.retry.backoff, place)
            yield from self.predicate(action.retry, place)
        if action.handler is not None:
            body = _inner(place, action.handler.steps, frozenset({action.handler.variable}))
            yield from self.block(
                action.handler.steps, body, before | assigned(action.body) | {action.handler.variable}
            )

    def predicate(self, policy: RetryPolicy, place: _Place) -> Iterator[Problem]:
        name = policy.predicate
        if name is None or name in PREDICATES:
            return
        routine = self._program.routines.get(name)
        if routine is None:
            known = ", ".join(sorted(PREDICATES))
            yield place.problem(f"predicate {name!r} is neither a sub-workflow nor one of {known}", policy.position)
        elif len(routine.parameters) < 1 or any(p.default is None for p in routine.parameters[1:]):
            yield place.problem(f"predicate {name!r} must take one parameter, the error", policy.position)

    def call(self, action: Call, place: _Place) -> Iterator[Problem]:
        for value in action.arguments.values():
            yield from self.template(value, place)
        if action.result is not None:
            yield from self.write(action.result, place, action.position)
        name = action.function
        if (routine := self._program.routines.get(name)) is not None:
            allowed = {parameter.name: parameter.default is None for parameter in routine.parameters}
        elif (function := FUNCTIONS.get(name)) is not None:
            allowed = {parameter.name: parameter.default is REQUIRED for parameter in function.parameters}
        else:
            yield place.problem(_unknown_function(name), action.position)
            return
        for argument in action.arguments:
            if argument not in allowed:
                takes = ", ".join(allowed) or "no arguments"
                yield place.problem(f"{name} has no parameter {argument!r}; it takes {takes}", action.position)
        for parameter, required in allowed.items():
            if required and parameter not in action.arguments:
                yield place.problem(f"{name} lacks the argument {parameter!r}", action.position)

    def write(self, name: str, place: _Place, position: Position) -> Iterator[Problem]:
        if name in place.read_only:
            message = f"variable {name!r} belongs to the scope around the parallel step; list it in shared to assign it"
            yield place.problem(message, position)

    def jump(self, target: str | None, place: _Place, position: Position) -> Iterator[Problem]:
        if target is None or target in place.targets:
            return
        if target in (BREAK, CONTINUE):
            if not place.in_loop:
                yield place.problem(f"next: {target} is only possible inside a loop", position)
        elif target == END:
            if place.in_branch:
                yield place.problem("next: end is not possible inside a parallel branch", position)
        else:
            message = f"next: {target!r} is no step of this block or of one around it, up to the loop or branch"
            yield place.problem(message, position)

    def template(self, template: Template, place: _Place) -> Iterator[Problem]:
        match template:
            case Expression(node=node):
                yield from self.node(node, place, template)
            case ListTemplate(items=items):
                for item in items:
                    yield from self.template(item, place)
            case MapTemplate(items=mapping):
                for item in mapping.values():
                    yield from self.template(item, place)

    def node(self, node: Node, place: _Place, where: Expression | Position) -> Iterator[Problem]:
        def at(found: Node) -> Position:
            return where.position_of(found.offset) if isinstance(where, Expression) else where

        match node:
            case Name(name=name) if name not in place.variables:
                yield place.problem(f"symbol '{name}' is neither a variable nor a sub-workflow name", at(node))
            case Member() if _is_constant(dotted(node), place):
                return
            case CallNode():
                yield from self.expression_call(node, place, at(node))
        for child in children(node):
            yield from self.node(child, place, where)

    def expression_call(self, node: CallNode, place: _Place, position: Position) -> Iterator[Problem]:
        name, count = node.function, len(node.arguments)
        if (routine := self._program.routines.get(name)) is not None:
            most, least = len(routine.parameters), sum(p.default is None for p in routine.parameters)
        elif (function := FUNCTIONS.get(name)) is not None:
            if isinstance(function, Effect) and function.blocking:
                yield place.problem(f"{name} blocks, so it cannot be part of an expression; use a call step", position)
                return
            most, least = len(function.parameters), sum(p.default is REQUIRED for p in function.parameters)
        else:
            yield place.problem(_unknown_function(name), position)
            return
        if not least <= count <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            yield place.problem(f"{name} takes {wanted} arguments, found {count}", position)


def assigned(block: Block) -> frozenset[str]:
    """The variables that steps of a block make in its own scope."""
    return frozenset().union(*(assigned_by(step.action) for step in block.steps))


def assigned_by(action: Action | None) -> frozenset[str]:
    """The variables that an action makes in the scope it runs in; loops, handlers and branches have their own."""
    match action:
        case Assign(assignments=assignments):
            return frozenset(a.target.variable for a in assignments if not a.target.path)
        case Call(result=str() as result):
            return frozenset({result})
        case Switch(conditions=conditions):
            return frozenset().union(*(assigned_by(entry.action) for entry in conditions))
        case Try(body=block) | Steps(steps=block):
            return assigned(block)
        case _:
            return frozenset()


def _inner(place: _Place, steps: Block, own: frozenset[str], **changes: object) -> _Place:
    """The place inside a block with a scope of its own; names made there hide read-only ones only if they are `own`."""
    inner = replace(place, variables=place.variables | own | assigned(steps), read_only=place.read_only - own)
    return replace(inner, **changes)  # type: ignore[arg-type]


def _is_constant(path: str | None, place: _Place) -> bool:
    return path in CONSTANTS and str(path).partition(".")[0] not in place.variables


def _unknown_function(name: str) -> str:
    refusal = connector_refusal(name)
    if refusal is not None:
        return refusal
    module = name.rpartition(".")[0]
    siblings = sorted(known for known in FUNCTIONS if module and known.startswith(module + "."))
    hint = f"; {module} has {', '.join(siblings)}" if siblings else ""
    return f"symbol '{name}' is neither a sub-workflow nor a library function{hint}"
