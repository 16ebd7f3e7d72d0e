"""Rules about time and failure: timeouts, retries, loops that poll."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from .. import limits
from ..expressions.tree import Call as CallNode
from ..expressions.tree import Constant, Member, Name, Node, walk
from ..language.syntax import (
    Action,
    Assign,
    Block,
    Call,
    Literal,
    MapTemplate,
    NamedRetry,
    RetryPolicy,
    Step,
    Switch,
    Try,
)
from ..language.walk import actions_below, actions_of, expressions_in, nodes_of
from ..stdlib import FUNCTIONS
from ..values import is_number
from .findings import Definition, Finding, Rule, warning
from .flow import flow_of

_SLEEPS = ("sys.sleep", "sys.sleep_until")
_ERROR_FIELDS = ("code", "body", "headers")


def _endless_poll(definition: Definition) -> Iterator[Finding]:
    told: set[object] = set()
    for routine in definition.program.routines.values():
        for steps in flow_of(routine).loops():
            inside = [pair for step in steps for pair in actions_below(step, step.action)]
            sleeps = [(s, a) for s, a in inside if isinstance(a, Call) and a.function in _SLEEPS]
            if not sleeps or _is_bounded([action for _, action in inside]):
                continue
            step, action = sleeps[0]
            assert isinstance(action, Call)
            if action.position not in told:
                told.add(action.position)
                message = f"the loop from {steps[0].name!r} waits and starts again without any limit"
                yield warning("endless-poll", message, action.position, step.name)


def _is_bounded(actions: list[Action]) -> bool:
    """Whether a condition of the loop looks at the time, or at a variable that counts rounds or has the time."""
    counting = {
        assignment.target.variable
        for action in actions
        if isinstance(action, Assign)
        for assignment in action.assignments
        for expression in expressions_in(assignment.value)
        if any(_reads_time(node) or _is_name(node, {assignment.target.variable}) for node in walk(expression.node))
    }
    return any(
        _reads_time(node) or _is_name(node, counting)
        for action in actions
        if isinstance(action, Switch)
        for node, _ in nodes_of(action)
    )


def _is_name(node: Node, names: Set[str]) -> bool:
    return isinstance(node, Name) and node.name in names


def _reads_time(node: Node) -> bool:
    return isinstance(node, CallNode) and node.function == "sys.now"


def _callback_without_timeout(definition: Definition) -> Iterator[Finding]:
    for step, action in _actions(definition):
        if not isinstance(action, Call) or action.function != "events.await_callback":
            continue
        if "timeout" not in action.arguments:
            hours = limits.CALLBACK_TIMEOUT_SECONDS / 3600
            message = f"without a timeout this waits {hours:g} hours, then fails with TimeoutError"
            yield warning("callback-without-timeout", message, action.position, step.name)


def _timeout_out_of_range(definition: Definition) -> Iterator[Finding]:
    for step, action in _actions(definition):
        if isinstance(action, Call) and action.function.startswith("http.") and action.function in FUNCTIONS:
            timeout = action.arguments.get("timeout")
            if isinstance(timeout, Literal) and is_number(timeout.value):
                maximum = limits.HTTP_TIMEOUT_MAXIMUM_SECONDS
                if not 0 < timeout.value <= maximum:
                    message = f"a timeout of {timeout.value} s fails with ValueError when the step runs"
                    hint = f"above 0 and at most {maximum} seconds are allowed"
                    yield warning("timeout-out-of-range", message, timeout.position, step.name, hint)


def _retry_without_pause(definition: Definition) -> Iterator[Finding]:
    for step, action in _actions(definition):
        if isinstance(action, Try) and isinstance(action.retry, RetryPolicy):
            delays = _literal_fields(action.retry.backoff)
            if delays.get("initial_delay") == 0 or delays.get("max_delay") == 0:
                message = "the attempts follow each other without a pause, because the delay is 0"
                yield warning("retry-without-pause", message, action.retry.backoff.position, step.name)
            elif is_number(factor := delays.get("multiplier", 1)) and factor < 1:
                message = f"each pause is shorter than the one before, because multiplier is {factor}"
                yield warning("retry-without-pause", message, action.retry.backoff.position, step.name)


def _literal_fields(template: object) -> dict[str, Any]:
    match template:
        case Literal(value=dict() as value):
            return value
        case MapTemplate(items=items):
            return {key: item.value for key, item in items.items() if isinstance(item, Literal)}
        case _:
            return {}


def _retry_misses_500(definition: Definition) -> Iterator[Finding]:
    for step, action in _actions(definition):
        match action:
            case Try(retry=NamedRetry(name=name, position=position)):
                pass
            case Try(retry=RetryPolicy(predicate=str() as name, position=position)) if name.startswith("http."):
                pass
            case _:
                continue
        codes = "429 and 503" if "non_idempotent" in name else "429, 502, 503 and 504"
        message = f"{name} tries again on {codes}, but not on 500"
        yield warning("retry-misses-500", message, position, step.name)


def _error_field_unchecked(definition: Definition) -> Iterator[Finding]:
    for _, action in _actions(definition):
        if isinstance(action, Try) and action.handler is not None:
            yield from _unchecked(action.handler.steps, action.handler.variable)
        if isinstance(action, Try) and isinstance(action.retry, RetryPolicy):
            routine = definition.program.routines.get(action.retry.predicate or "")
            if routine is not None:
                yield from _unchecked(routine.steps, routine.parameters[0].name)


def _unchecked(block: Block, variable: str) -> Iterator[Finding]:
    nodes = [(node, place, step) for step, action in actions_of(block) for node, place in nodes_of(action)]
    if any(isinstance(node, Constant) and node.value in ("HttpError", *_ERROR_FIELDS) for node, _, _ in nodes):
        return
    for node, place, step in nodes:
        match node:
            case Member(of=Name(name=name), key=key) if name == variable and key in _ERROR_FIELDS:
                message = f"only an HttpError has {key!r}, so for other errors this fails with KeyError"
                hint = f'look first: "HttpError" in {variable}.tags'
                yield warning("error-field-unchecked", message, place, step.name, hint)
                return


def _actions(definition: Definition) -> Iterator[tuple[Step, Action]]:
    for routine in definition.program.routines.values():
        yield from actions_of(routine.steps)


RULES = (
    Rule(
        "endless-poll",
        "A loop that sleeps and jumps back, and never looks at the time or a counter, goes on for a year or until "
        "100,000 steps are used up when what it waits for never comes.",
        "Compare sys.now() with a deadline, or count the rounds, and raise when there were too many.",
        _endless_poll,
    ),
    Rule(
        "callback-without-timeout",
        "events.await_callback waits 43,200 seconds unless told otherwise.",
        "Give `timeout` in seconds and handle TimeoutError.",
        _callback_without_timeout,
    ),
    Rule(
        "timeout-out-of-range",
        "The deployment is accepted; the first execution that comes to the step fails with ValueError.",
        "Use at most 1800 seconds; for longer work start it, then poll.",
        _timeout_out_of_range,
    ),
    Rule(
        "retry-without-pause",
        "Retries that follow at once, or ever faster, hit a service that is busy at its worst moment.",
        "Use initial_delay 1 or more and a multiplier above 1, or backoff: ${retry.default_backoff}.",
        _retry_without_pause,
    ),
    Rule(
        "retry-misses-500",
        "None of the library's policies and predicates covers HTTP 500, which many services answer when they are "
        "briefly broken.",
        "Where a repeated call does no harm, use a predicate of your own that has 500, too.",
        _retry_misses_500,
    ),
    Rule(
        "error-field-unchecked",
        "Errors other than HttpError have `message` and `tags` only, so that the handler itself fails with KeyError.",
        'Test "HttpError" in e.tags first, or read with map.get(e, "code").',
        _error_field_unchecked,
    ),
)
