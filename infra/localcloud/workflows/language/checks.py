"""What a parsed definition is refused for at deployment: unknown names, bad jumps, blocking calls in expressions,
wrong arguments, and what parallel branches may not do. All problems are collected.

Names are looked up without following the flow: a variable counts as known where any assignment of its routine, in
the same scope or one around it, makes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from ..connectors import connector_refusal
from ..errors import Position, Problem
from ..expressions.tree import Call as CallNode
from ..expressions.tree import Member, Name, Node, children, dotted
from ..library import function_of
from ..stdlib import CONSTANTS, FUNCTIONS, PREDICATES
from ..stdlib.signature import REQUIRED, Effect
from .hints import did_you_mean
from .syntax import (
    BREAK,
    CONTINUE,
    END,
    Action,
    Assign,
    Block,
    Call,
    ComputedMap,
    Expression,
    For,
    Handler,
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
from .walk import actions_of

# A function with more parameters has them listed only as far as they resemble a wrong one.
_FEW = 8


def problems_of(program: Program) -> list[Problem]:
    """Every reason to refuse the program."""
    checker = _Checker(program)
    return [problem for routine in program.routines.values() for problem in checker.routine(routine)]


@dataclass(frozen=True)
class _Place:
    """What holds at a step: known variables, jump targets, and the loop and parallel branch around it."""

    variables: frozenset[str]
    targets: frozenset[str] = frozenset()
    loop: Literal["for", "parallel"] | None = None
    in_branch: bool = False
    # Variables of the loops around.
    loop_variables: frozenset[str] = frozenset()
    # Variables of scopes around the branch that were assigned before it, less the shared ones.
    read_only: frozenset[str] = frozenset()
    # Variables that the routine makes anywhere, in scopes that have ended or not begun here.
    elsewhere: frozenset[str] = frozenset()
    step: str = ""
    position: Position = field(default_factory=lambda: Position(1, 1))

    def problem(self, message: str, position: Position | None = None) -> Problem:
        return Problem(message, position or self.position, self.step or None)


class _Checker:
    def __init__(self, program: Program) -> None:
        self._program = program

    def routine(self, routine: Routine) -> Iterator[Problem]:
        parameters = frozenset(parameter.name for parameter in routine.parameters)
        place = _Place(
            parameters | assigned(routine.steps), elsewhere=_made_anywhere(routine.steps), position=routine.position
        )
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
            yield from self.jump(step.next, here, step.next_position)
            before |= assigned_by(step.action)

    def action(self, action: Action, place: _Place, before: frozenset[str]) -> Iterator[Problem]:
        match action:
            case Assign(assignments=assignments):
                for assignment in assignments:
                    yield from self.template(assignment.value, place)
                    for node in assignment.target.path:
                        yield from self.node(node, place, assignment.position)
                    variable = assignment.target.variable
                    if assignment.target.path and variable not in place.variables:
                        yield self.unknown_symbol(variable, place, assignment.position)
                    yield from self.write(variable, place, assignment.position)
            case Call():
                yield from self.call(action, place)
            case Switch(conditions=conditions):
                for entry in conditions:
                    yield from self.template(entry.condition, place)
                    if entry.action is not None:
                        yield from self.action(entry.action, place, before)
                        before |= assigned_by(entry.action)
                    yield from self.jump(entry.next, place, entry.next_position)
            case For():
                yield from self.loop(action, place, before, "for")
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

    def loop(
        self, loop: For, place: _Place, before: frozenset[str], kind: Literal["for", "parallel"]
    ) -> Iterator[Problem]:
        for source in (loop.items, loop.range):
            if source is not None:
                yield from self.template(source, place)
        own = _own(loop)
        # Documented: loops may use the same names as long as they are not nested.
        for name in sorted(own & place.loop_variables):
            yield place.problem(f"loop variable {name!r} is one of a loop around this one, too; give it another name")
        variables = place.loop_variables | own
        body = _inner(place, loop.steps, own, targets=frozenset(), loop=kind, loop_variables=variables)
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
            loop=None,
            in_branch=True,
            read_only=(known | place.read_only) - frozenset(action.shared),
        )
        for steps in (entry.steps for entry in action.branches):
            yield from self.block(steps, _inner(branch, steps, frozenset()), before)
        if action.loop is not None:
            yield from self.loop(action.loop, branch, before, "parallel")

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
            hint = did_you_mean(name, (*self._program.routines, *PREDICATES))
            message = f"predicate {name!r} is neither a sub-workflow nor one of {known}{hint}"
            yield place.problem(message, policy.position)
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
        elif (function := function_of(name)) is not None:
            if function.any_arguments:
                return
            allowed = {parameter.name: parameter.default is REQUIRED for parameter in function.parameters}
        else:
            yield place.problem(_unknown_function(name, self._program.routines), action.position)
            return
        for argument in action.arguments:
            if argument not in allowed:
                message = f"{name} has no parameter {argument!r}{_choices(argument, allowed)}"
                yield place.problem(message, action.position)
        for parameter, required in allowed.items():
            if required and parameter not in action.arguments:
                yield place.problem(f"{name} lacks the argument {parameter!r}", action.position)

    def write(self, name: str, place: _Place, position: Position) -> Iterator[Problem]:
        if name in place.read_only:
            message = f"variable {name!r} belongs to the scope around the parallel step; list it in shared to assign it"
            yield place.problem(message, position)

    def jump(self, target: str | None, place: _Place, position: Position | None) -> Iterator[Problem]:
        if target is None or target in place.targets:
            return
        if target in (BREAK, CONTINUE):
            if place.loop is None:
                yield place.problem(f"next: {target} is only possible inside a loop", position)
            elif place.loop == "parallel" and target == BREAK:
                # The iterations beside this one are under way already.
                yield place.problem("next: break is not possible in a parallel loop; use continue", position)
        elif target == END:
            if place.in_branch:
                message = "next: end is not possible inside a parallel branch; let the branch run to its last step"
                yield place.problem(message, position)
        else:
            hint = did_you_mean(target, place.targets)
            message = f"next: {target!r} is no step of this block or of one around it, up to the loop or branch{hint}"
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
            case ComputedMap(parts=parts):
                for part in parts:
                    yield from self.template(part, place)

    def node(self, node: Node, place: _Place, where: Expression | Position) -> Iterator[Problem]:
        def at(found: Node) -> Position:
            return where.position_of(found.offset) if isinstance(where, Expression) else where

        match node:
            case Name(name=name) if name not in place.variables:
                yield self.unknown_symbol(name, place, at(node))
            case Member() if _is_constant(dotted(node), place):
                return
            case CallNode():
                yield from self.expression_call(node, place, at(node))
        for child in children(node):
            yield from self.node(child, place, where)

    def unknown_symbol(self, name: str, place: _Place, position: Position) -> Problem:
        message = f"symbol '{name}' is neither a variable nor a sub-workflow name"
        if name in self._program.routines:
            return place.problem(f"'{name}' is a sub-workflow: call it, with arguments in brackets", position)
        if name in place.elsewhere:
            message += " here: it belongs to a loop, handler or branch elsewhere; assign it before that block"
        else:
            message += did_you_mean(name, place.variables)
        return place.problem(message, position)

    def expression_call(self, node: CallNode, place: _Place, position: Position) -> Iterator[Problem]:
        name, count = node.function, len(node.arguments)
        if (routine := self._program.routines.get(name)) is not None:
            most, least = len(routine.parameters), sum(p.default is None for p in routine.parameters)
        elif (function := function_of(name)) is not None:
            if isinstance(function, Effect) and function.blocking:
                yield place.problem(f"{name} blocks, so it cannot be part of an expression; use a call step", position)
                return
            most, least = len(function.parameters), sum(p.default is REQUIRED for p in function.parameters)
        else:
            yield place.problem(_unknown_function(name, self._program.routines), position)
            return
        if not least <= count <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            yield place.problem(f"{name} takes {wanted} arguments, found {count}", position)


def _made_anywhere(block: Block) -> frozenset[str]:
    """The variables that a routine makes at any depth, those of loops and handlers included."""
    found: set[str] = set()
    for _, action in actions_of(block):
        found |= assigned_by(action)
        match action:
            case For() as loop:
                found |= _own(loop)
            case Parallel(loop=For() as loop):
                found |= _own(loop)
            case Try(handler=Handler(variable=variable)):
                found.add(variable)
    return frozenset(found)


def _own(loop: For) -> frozenset[str]:
    return frozenset(name for name in (loop.value, loop.index) if name is not None)


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


def _choices(wrong: str, known: Collection[str]) -> str:
    """What may be passed instead: all parameters, or those most like it where a connector has many."""
    hint = did_you_mean(wrong, known)
    if len(known) > _FEW:
        return hint
    return f"{hint}{' It' if hint else '; it'} takes {', '.join(known) or 'no arguments'}"


def _unknown_function(name: str, routines: Collection[str]) -> str:
    refusal = connector_refusal(name)
    if refusal is not None:
        return refusal
    module = name.rpartition(".")[0]
    siblings = sorted(known for known in FUNCTIONS if module and known.startswith(module + "."))
    hint = f"; {module} has {', '.join(siblings)}" if siblings else did_you_mean(name, (*routines, *FUNCTIONS))
    return f"symbol '{name}' is neither a sub-workflow nor a library function{hint}"
