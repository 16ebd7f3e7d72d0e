"""Going through a definition: its steps and actions at every depth, and the expressions that stand in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import Position
from ..expressions.tree import Node, walk
from .syntax import (
    Action,
    Assign,
    Block,
    Call,
    ComputedMap,
    Expression,
    For,
    ListTemplate,
    Literal,
    MapTemplate,
    Parallel,
    Program,
    Raise,
    RetryPolicy,
    Return,
    Step,
    Steps,
    Switch,
    Template,
    Try,
)


def blocks_in(action: Action) -> Iterator[Block]:
    """The blocks directly inside an action, those of a switch's own actions included."""
    match action:
        case Switch(conditions=conditions):
            for entry in conditions:
                if entry.action is not None:
                    yield from blocks_in(entry.action)
        case For(steps=steps) | Steps(steps=steps):
            yield steps
        case Parallel(branches=branches, loop=loop):
            yield from (branch.steps for branch in branches)
            if loop is not None:
                yield loop.steps
        case Try(body=body, handler=handler):
            yield body
            if handler is not None:
                yield handler.steps


def is_bare(block: Block) -> bool:
    """Whether a block is the bare action of a try, which is known by the name of the try step."""
    return not block.places


def steps_of(block: Block) -> Iterator[Step]:
    """Every step that is written as one, at any depth, in the order of the source."""
    for step in block.steps:
        if not is_bare(block):
            yield step
        for inner in blocks_in(step.action):
            yield from steps_of(inner)


def step_names(program: Program) -> frozenset[str]:
    """Every step as STEP and as ROUTINE.STEP."""
    return frozenset(
        name
        for routine in program.routines.values()
        for step in steps_of(routine.steps)
        for name in (step.name, f"{routine.name}.{step.name}")
    )


def actions_of(block: Block) -> Iterator[tuple[Step, Action]]:
    """Every action of a block at any depth, in the order of the source, with the step that it belongs to."""
    for step in block.steps:
        yield from actions_below(step, step.action)


def actions_below(step: Step, action: Action) -> Iterator[tuple[Step, Action]]:
    """`action`, the actions of its conditions, and all in its blocks."""
    yield step, action
    if isinstance(action, Switch):
        for entry in action.conditions:
            if entry.action is not None:
                yield from actions_below(step, entry.action)
        return
    for block in blocks_in(action):
        yield from actions_of(block)


def templates_of(action: Action) -> Iterator[Template]:
    """The templates of an action itself; those of actions and blocks inside it are theirs."""
    match action:
        case Assign(assignments=assignments):
            yield from (assignment.value for assignment in assignments)
        case Call(arguments=arguments):
            yield from arguments.values()
        case Switch(conditions=conditions):
            yield from (entry.condition for entry in conditions)
        case For(items=items, range=bounds):
            yield from (template for template in (items, bounds) if template is not None)
        case Parallel(loop=loop, concurrency_limit=limit):
            if loop is not None:
                yield from templates_of(loop)
            if limit is not None:
                yield limit
        case Try(retry=RetryPolicy(max_retries=max_retries, backoff=backoff)):
            yield from (max_retries, backoff)
        case Raise(value=value) | Return(value=value):
            yield value


def nodes_of(action: Action) -> Iterator[tuple[Node, Position]]:
    """Every node of every expression of an action itself, with its place; target paths included."""
    if isinstance(action, Assign):
        for assignment in action.assignments:
            for part in assignment.target.path:
                yield from ((node, assignment.position) for node in walk(part))
    for template in templates_of(action):
        for expression in expressions_in(template):
            yield from ((node, expression.position_of(node.offset)) for node in walk(expression.node))


def expressions_in(template: Template) -> Iterator[Expression]:
    """The expressions of a template at any depth."""
    match template:
        case Expression():
            yield template
        case ListTemplate(items=parts) | ComputedMap(parts=parts):
            for item in parts:
                yield from expressions_in(item)
        case MapTemplate(items=mapping):
            for item in mapping.values():
                yield from expressions_in(item)
        case ComputedMap(parts=parts):
            for part in parts:
                yield from expressions_in(part)


def literals_in(template: Template) -> Iterator[tuple[Any, Position]]:
    """The literal scalars of a template at any depth; a scalar inside a literal list or map has that one's place."""
    match template:
        case Literal(value=value, position=position):
            yield from ((scalar, position) for scalar in _scalars(value))
        case ListTemplate(items=parts) | ComputedMap(parts=parts):
            for item in parts:
                yield from literals_in(item)
        case MapTemplate(items=mapping):
            for item in mapping.values():
                yield from literals_in(item)
        case ComputedMap(entries=entries):
            for _, item in entries:
                yield from literals_in(item)


def _scalars(value: Any) -> Iterator[Any]:
    match value:
        case list():
            for item in value:
                yield from _scalars(item)
        case dict():
            for item in value.values():
                yield from _scalars(item)
        case _:
            yield value
