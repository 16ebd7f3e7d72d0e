"""Rules about parts that never run or never matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import Position
from ..expressions.tree import Call as CallNode
from ..expressions.tree import Name
from ..language.checks import assigned
from ..language.syntax import Action, Assign, Call, Program, RetryPolicy, Routine, Step, Switch, Try
from ..language.walk import actions_of, nodes_of
from .findings import Definition, Finding, Rule, warning
from .flow import always_true, flow_of

_IGNORED = "_"  # a name that begins so says that it is not read on purpose


def _unreachable_step(definition: Definition) -> Iterator[Finding]:
    for routine in definition.program.routines.values():
        for step in flow_of(routine).unreached():
            message = f"step {step.name!r} is never reached: every step before it goes elsewhere"
            yield warning("unreachable-step", message, step.position, step.name)


def _unreachable_condition(definition: Definition) -> Iterator[Finding]:
    for step, action in _all_actions(definition.program):
        if isinstance(action, Switch):
            for entry, following in zip(action.conditions, action.conditions[1:], strict=False):
                if always_true(entry.condition):
                    message = "this condition is never looked at, because the one before it is always true"
                    yield warning("unreachable-condition", message, following.position, step.name)
                    break


def _unused_variable(definition: Definition) -> Iterator[Finding]:
    for routine in definition.program.routines.values():
        known = set(_read_names(routine))
        for step, action in actions_of(routine.steps):
            for what, name, place in _made_by(action, definition):
                if name not in known and not name.startswith(_IGNORED):
                    known.add(name)
                    yield warning("unused-variable", f"{what} {name!r} is never read", place, step.name)


def _made_by(action: Action, definition: Definition) -> Iterator[tuple[str, str, Position]]:
    """The variables that an action itself assigns as a whole: what they are, their names, and where these stand."""
    match action:
        case Assign(assignments=assignments):
            for assignment in assignments:
                if not assignment.target.path:
                    yield "the variable", assignment.target.variable, assignment.position
        case Call(result=str() as name, position=position):
            yield "the result", name, definition.locate(name, definition.locate("result", position))


def _unused_parameter(definition: Definition) -> Iterator[Finding]:
    for routine in definition.program.routines.values():
        read = _read_names(routine) | assigned(routine.steps)
        for parameter in routine.parameters:
            if parameter.name not in read and not parameter.name.startswith(_IGNORED):
                below = Position(routine.position.line, routine.position.column + len(routine.name))
                place = definition.locate(parameter.name, below)
                message = f"parameter {parameter.name!r} of {routine.name} is never read"
                yield warning("unused-parameter", message, place, None)


def _unused_routine(definition: Definition) -> Iterator[Finding]:
    routines = definition.program.routines
    used: set[str] = set()
    pending = ["main"]
    while pending:
        name = pending.pop()
        if name in routines and name not in used:
            used.add(name)
            pending.extend(_called(routines[name]))
    for name, routine in routines.items():
        if name not in used:
            message = f"no execution comes to the subworkflow {name!r}: nothing that starts at main calls it"
            yield warning("unused-routine", message, routine.position, None)


def _all_actions(program: Program) -> Iterator[tuple[Step, Action]]:
    for routine in program.routines.values():
        yield from actions_of(routine.steps)


def _read_names(routine: Routine) -> frozenset[str]:
    names = {
        node.name for _, action in actions_of(routine.steps) for node, _ in nodes_of(action) if isinstance(node, Name)
    }
    return frozenset(names)


def _called(routine: Routine) -> Iterable[str]:
    for _, action in actions_of(routine.steps):
        if isinstance(action, Call):
            yield action.function
        if isinstance(action, Try) and isinstance(action.retry, RetryPolicy) and action.retry.predicate is not None:
            yield action.retry.predicate
        yield from (node.function for node, _ in nodes_of(action) if isinstance(node, CallNode))


RULES = (
    Rule(
        "unreachable-step",
        "Every way through the steps before it jumps, returns or raises, so the step never runs.",
        "Remove it, or jump to it with `next`.",
        _unreachable_step,
    ),
    Rule(
        "unreachable-condition",
        "The first true condition of a switch wins; after `condition: true` no other is looked at.",
        "Move `condition: true` to the end.",
        _unreachable_condition,
    ),
    Rule(
        "unused-variable",
        "A value that nobody reads counts against the 512 KB of memory, and is often a misspelt name.",
        "Remove the assignment or `result`, or begin the name with _ to say that it is meant.",
        _unused_variable,
    ),
    Rule(
        "unused-parameter",
        "Callers pass a value that has no effect.",
        "Remove the parameter from `params` and from its callers, or begin its name with _.",
        _unused_parameter,
    ),
    Rule(
        "unused-routine",
        "It is deployed, counts against the 128 KB of source, and never runs.",
        "Call it, or remove it.",
        _unused_routine,
    ),
)
