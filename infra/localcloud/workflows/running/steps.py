"""One evaluator per kind of step: `evaluate(action, scope, strand) -> Control`. Errors are raised as WorkflowError."""

from __future__ import annotations

import functools
import itertools
import json
import math
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import limits
from ..errors import WorkflowError, recursion_error, resource_limit_error, type_error, value_error
from ..expressions import evaluate
from ..expressions.evaluator import check_position, element
from ..expressions.operators import boolean
from ..language.syntax import (
    Action,
    Assign,
    Assignment,
    Block,
    Branch,
    Call,
    For,
    Jump,
    Parallel,
    Raise,
    Return,
    Routine,
    Step,
    Steps,
    Switch,
    Try,
)
from ..library import function_of
from ..values import copy_value, is_number, size_bytes, type_name
from .control import Break, Control, Goto, Returned, control_of
from .evaluation import plain_value, template_value
from .observer import Kind, ValueKind
from .parallel import run_parallel
from .retry import applies, schedule
from .runtime import Strand
from .scope import Scope


async def run_routine(strand: Strand, routine: Routine, arguments: Mapping[str, Any]) -> Any:
    """What the routine returns. TypeError for missing or unknown arguments."""
    names = {parameter.name for parameter in routine.parameters}
    for name in arguments:
        if name not in names:
            raise type_error(f"routine {routine.name} has no parameter {name!r}")
    strand.push(routine.name)
    scope = Scope(strand.run.memory)
    try:
        for parameter in routine.parameters:
            if parameter.name in arguments:
                value = copy_value(arguments[parameter.name])
            elif parameter.default is not None:
                value = await template_value(parameter.default, scope, strand)
            else:
                raise type_error(f"routine {routine.name} lacks the argument {parameter.name!r}")
            scope.declare(parameter.name, value)
        control = await run_block(routine.steps, scope, strand)
        return copy_value(control.value) if isinstance(control, Returned) else None
    except RecursionError:
        # Blocks, expressions and routines nested deeper than the host's own stack.
        raise recursion_error("blocks, expressions and calls are nested too deep") from None
    finally:
        scope.close()
        strand.pop()


async def run_block(block: Block, scope: Scope, strand: Strand) -> Control:
    """Run steps in order, following jumps that stay in the block; other control is the caller's."""
    place = 0
    steps = block.steps
    observer, tally = strand.run.observer, strand.run.tally
    before: Step | None = None
    while place < len(steps):
        step = steps[place]
        counted = tally is not None and tally.full and step.simple
        entry = None if observer is None or counted else strand.begin(observer, step, step.action, before)
        try:
            if strand.enter(step):
                await strand.pause()
            strand.counted = counted
            control = await STEPS[type(step.action)](step.action, scope, strand)
        except WorkflowError as error:
            strand.locate(error)
            if observer is not None:
                strand.end(observer, entry or strand.begin(observer, step, step.action, before), None, error)
            raise
        finally:
            strand.counted = False
        if tally is not None and counted:
            strand.count(tally, step, before)
        elif observer is not None and entry is not None:
            strand.end(observer, entry, control if control is not None else control_of(step.next))
        before = step
        if control is None:
            if step.next is None:
                place += 1
                continue
            control = control_of(step.next)
        if type(control) is Goto and control.step in block.places:
            place = block.places[control.step]
            continue
        return control
    return None


async def _assign(action: Assign, scope: Scope, strand: Strand) -> Control:
    for assignment in action.assignments:
        owner = scope.shared_owner(assignment.target.variable) if strand.nesting else None
        if owner is None:
            await _store(assignment, scope, strand)
        else:
            # Evaluating and storing is one unit, so that branches adding to the same total lose nothing.
            async with owner.exclusive(strand.resumed):
                await _store(assignment, scope, strand)
    return None


async def _store(assignment: Assignment, scope: Scope, strand: Strand) -> None:
    template, target = assignment.value, assignment.target
    plain = not template.waits  # asked here, since most assignments and conditions are, to save a coroutine
    value = copy_value(plain_value(template, scope, strand) if plain else await template_value(template, scope, strand))
    if not target.path:
        strand.weigh(scope.set(target.variable, value))
        if strand.run.values is not None:
            strand.note(ValueKind.ASSIGNED, target.variable, value)
        return
    keys = [await evaluate(node, scope, strand) for node in target.path]
    container = scope.get(target.variable)
    resize = functools.partial(scope.resize, target.variable)
    for position, key in enumerate(keys[:-1]):
        # Missing maps on the way are made, when what follows is a key.
        if (
            isinstance(container, dict)
            and isinstance(key, str)
            and key not in container
            and isinstance(keys[position + 1], str)
        ):
            _set_element(container, key, {}, resize)
        container = element(container, key)
    _set_element(container, keys[-1], value, resize)
    if strand.run.values is not None:
        strand.note(ValueKind.ASSIGNED, target.variable + "".join(f"[{json.dumps(key)}]" for key in keys), value)


def _set_element(container: Any, key: Any, value: Any, resize: Callable[[int], None]) -> None:
    match container:
        case dict():
            if type(key) is not str:
                raise type_error(f"a map's key must be a string, not {type_name(key)}")
            old = size_bytes(container[key]) if key in container else -len(key)
        case list():
            check_position(container, key)
            old = size_bytes(container[key])
        case _:
            raise type_error(f"cannot assign to a part of a value of type {type_name(container)}")
    resize(size_bytes(value) - old)
    container[key] = value


async def _call(action: Call, scope: Scope, strand: Strand) -> Control:
    arguments = {name: await template_value(item, scope, strand) for name, item in action.arguments.items()}
    if strand.run.values is not None:
        strand.note(ValueKind.ARGUMENTS, "", arguments)
    routine = strand.run.program.routines.get(action.function)
    if routine is not None:
        result = await run_routine(strand, routine, arguments)
    else:
        function = function_of(action.function)
        assert function is not None  # checked at deployment
        result = await strand.call_library(function, arguments)
    if strand.run.values is not None:
        strand.note(ValueKind.RESULT, action.result or "", result)
    if action.result is not None:
        owner = scope.shared_owner(action.result) if strand.nesting else None
        if owner is None:
            scope.set(action.result, copy_value(result))
        else:
            async with owner.exclusive(strand.resumed):
                scope.set(action.result, copy_value(result))
    return None


async def _switch(action: Switch, scope: Scope, strand: Strand) -> Control:
    for index, entry in enumerate(action.conditions):
        template = entry.condition
        plain = not template.waits
        value = plain_value(template, scope, strand) if plain else await template_value(template, scope, strand)
        met = boolean(value, "a condition")
        if strand.run.values is not None:
            strand.note(ValueKind.CONDITION, str(index), met)
        if not met:
            continue
        control = None
        with strand.part(Kind.CONDITION, index):
            if entry.action is not None:
                run = STEPS[type(entry.action)] if strand.run.observer is None else _told
                control = await run(entry.action, scope, strand)
        return control if control is not None else control_of(entry.next)
    return None


async def _told(action: Action, scope: Scope, strand: Strand) -> Control:
    observer, around = strand.run.observer, strand.entry
    assert observer is not None
    assert around is not None
    entry = strand.begin(observer, around.step, action)
    try:
        control = await STEPS[type(action)](action, scope, strand)
    except WorkflowError as error:
        strand.locate(error)
        strand.end(observer, entry, None, error)
        raise
    strand.end(observer, entry, control)
    return control


async def _for(action: For, scope: Scope, strand: Strand) -> Control:
    values = await loop_values(action, scope, strand)
    if strand.run.values is not None:
        strand.note(ValueKind.EXPECTED, "", len(values))
    for index, value in enumerate(values):
        control = await run_iteration(action, index, value, scope.child(), strand)
        if isinstance(control, Break):
            return None
        if isinstance(control, Goto | Returned):
            return control
    return None


async def run_iteration(loop: For, index: int, value: Any, scope: Scope, strand: Strand) -> Control:
    """Run a loop's body once in `scope`, which ends with it."""
    try:
        with strand.part(Kind.FOR_ITERATION, index):
            if strand.run.values is not None:
                strand.note(ValueKind.ITEM, loop.value, value)
            scope.declare(loop.value, copy_value(value))
            if loop.index is not None:
                scope.declare(loop.index, index)
            return await run_block(loop.steps, scope, strand)
    finally:
        scope.close()


async def run_branch(branch: Branch, index: int, scope: Scope, strand: Strand) -> Control:
    """Run a parallel branch."""
    with strand.part(Kind.PARALLEL_BRANCH_ENTRY, index, branch.name):
        return await run_block(branch.steps, scope, strand)


async def loop_values(loop: For, scope: Scope, strand: Strand) -> list[Any] | _Counted:
    """What a loop goes over, evaluated once."""
    if loop.items is not None:
        items = await template_value(loop.items, scope, strand)
        if not isinstance(items, list):
            raise type_error(f"in must be a list, not {type_name(items)}; for a map loop over keys(m)")
        return list(items)
    assert loop.range is not None
    bounds = await template_value(loop.range, scope, strand)
    if not isinstance(bounds, list) or len(bounds) != 2 or not all(map(is_number, bounds)):
        raise type_error("range must be a list of two numbers, [first, last]")
    first, last = bounds
    if not (math.isfinite(first) and math.isfinite(last)):
        raise value_error("range must be finite")
    return _Counted(first, last)


@dataclass(frozen=True)
class _Counted:
    """The numbers from `first` to `last`, both included, made one by one."""

    first: float
    last: float

    def __iter__(self) -> Iterator[float]:
        number = self.first
        while number <= self.last:
            yield number
            number += 1

    def __len__(self) -> int:
        return min(max(0, math.floor(self.last - self.first) + 1), sys.maxsize)


async def _parallel(action: Parallel, scope: Scope, strand: Strand) -> Control:
    limit = None if action.concurrency_limit is None else await template_value(action.concurrency_limit, scope, strand)
    if action.loop is None:
        branches = [
            (branch.name, functools.partial(run_branch, branch, index)) for index, branch in enumerate(action.branches)
        ]
    else:
        # All are made before the first one runs; each runs a step at least, so that more could not end well anyway.
        values = list(itertools.islice(await loop_values(action.loop, scope, strand), limits.STEPS + 1))
        if len(values) > limits.STEPS:
            raise resource_limit_error(f"more than {limits.STEPS} iterations, which is the limit of steps")
        branches = [
            (str(index), functools.partial(run_iteration, action.loop, index, value))
            for index, value in enumerate(values)
        ]
    if strand.run.values is not None:
        strand.note(ValueKind.EXPECTED, "", len(branches))
    await run_parallel(branches, limit, scope, strand)
    return None


async def _try(action: Try, scope: Scope, strand: Strand) -> Control:
    retries = 0
    while True:
        try:
            with strand.part(Kind.RETRY if retries else Kind.TRY, retries):
                return await run_block(action.body, scope, strand)
        except WorkflowError as error:
            # Without the host's frames, which would be kept for as long as a retry is waited for.
            failure = error.with_traceback(None)
        if action.retry is not None:
            plan = await schedule(action.retry, scope, strand)
            if retries < plan.retries and await applies(plan.predicate, failure, strand):
                retries += 1
                await strand.sleep_until(await strand.now() + plan.delay(retries))
                continue
        if action.handler is None:
            raise failure
        handler_scope = scope.child()
        try:
            handler_scope.declare(action.handler.variable, copy_value(failure.payload))
            with strand.part(Kind.EXCEPT):
                if strand.run.values is not None:
                    strand.note(ValueKind.CAUGHT, action.handler.variable, failure.payload)
                return await run_block(action.handler.steps, handler_scope, strand)
        finally:
            handler_scope.close()


async def _raise(action: Raise, scope: Scope, strand: Strand) -> Control:
    raise WorkflowError(copy_value(await template_value(action.value, scope, strand)))


async def _return(action: Return, scope: Scope, strand: Strand) -> Control:
    value = await template_value(action.value, scope, strand)
    if strand.run.values is not None:
        strand.note(ValueKind.RETURNED, "", value)
    return Returned(value)


async def _steps(action: Steps, scope: Scope, strand: Strand) -> Control:
    return await run_block(action.steps, scope, strand)


async def _jump(action: Jump, scope: Scope, strand: Strand) -> Control:
    return None


STEPS: Mapping[type, Callable[[Any, Scope, Strand], Awaitable[Control]]] = {
    Assign: _assign,
    Call: _call,
    For: _for,
    Jump: _jump,
    Parallel: _parallel,
    Raise: _raise,
    Return: _return,
    Steps: _steps,
    Switch: _switch,
    Try: _try,
}
