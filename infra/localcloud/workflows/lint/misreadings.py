"""Rules about texts that mean something else than they seem to: expressions, comparisons, names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import Position
from ..expressions.tree import Binary, Constant, ListDisplay, MapDisplay, Member, Node
from ..expressions.tree import Call as CallNode
from ..language.checks import assigned
from ..language.syntax import Block, For, Handler, Parallel, Steps, Switch, Try
from ..language.walk import actions_of, blocks_in, literals_in, nodes_of, templates_of
from ..stdlib import FUNCTIONS
from .findings import Definition, Finding, Rule, warning

_STATUS_CODE = re.compile(r"[1-5][0-9]{2}")
# What library functions certainly give; numbers are one type, since they compare by value.
_RESULTS = {
    "string": ("string", "sys.get_env", "uuid.generate", "get_type", "time.format", "json.encode_to_string"),
    "number": ("int", "double", "len", "sys.now", "time.parse", "math.abs", "math.floor", "math.max", "math.min"),
    "boolean": ("not", "text.match_regex"),
    "list": ("keys", "text.split", "text.find_all", "text.find_all_regex", "list.concat", "list.prepend"),
}
_TYPE_OF_CALL = {function: kind for kind, functions in _RESULTS.items() for function in functions}
_TYPE_OF_CONSTANT = {bool: "boolean", int: "number", float: "number", str: "string"}


def _text_around_expression(definition: Definition) -> Iterator[Finding]:
    for routine in definition.program.routines.values():
        for step, action in actions_of(routine.steps):
            for template in templates_of(action):
                for value, position in literals_in(template):
                    if isinstance(value, str) and "${" in value:
                        place = _find(definition, "${", position)
                        message = "this ${...} is plain text, because there is other text around it"
                        hint = 'write one expression for all of it: ${"text " + name}'
                        if "$${" in value:
                            hint = "$${ means ${ in a Terraform template only; a deployed file has ${"
                        yield warning("text-around-expression", message, place, step.name, hint)


def _never_equal(definition: Definition) -> Iterator[Finding]:
    for routine in definition.program.routines.values():
        for step, action in actions_of(routine.steps):
            for node, position in nodes_of(action):
                if isinstance(node, Binary) and node.operator in ("==", "!=", "<", "<=", ">", ">="):
                    message = _comparison_problem(node)
                    if message is not None:
                        yield warning("never-equal", message, position, step.name)


def _comparison_problem(node: Binary) -> str | None:
    for side, other in ((node.left, node.right), (node.right, node.left)):
        match side, other:
            case Member(key="code"), Constant(value=str() as text) if _STATUS_CODE.fullmatch(text):
                return f'an HTTP code is an integer: compare with {text}, not with "{text}"'
    left, right = _type_of(node.left), _type_of(node.right)
    if left is None or right is None or left == right:
        return None
    if node.operator in ("==", "!="):
        always = "false" if node.operator == "==" else "true"
        return f"a {left} and a {right} are never equal, so this is always {always}"
    return f"comparing a {left} with a {right} by {node.operator} is a TypeError"


def _type_of(node: Node) -> str | None:
    match node:
        case Constant(value=value):
            return _TYPE_OF_CONSTANT.get(type(value))
        case CallNode(function=function):
            return _TYPE_OF_CALL.get(function)
        case ListDisplay():
            return "list"
        case MapDisplay():
            return "map"
        case _:
            return None


def _shadowed_name(definition: Definition) -> Iterator[Finding]:
    for routine in definition.program.routines.values():
        if routine.name in FUNCTIONS:
            message = f"the subworkflow {routine.name!r} hides the library function of that name"
            yield warning("shadowed-name", message, routine.position, None)
        known = frozenset(p.name for p in routine.parameters) | assigned(routine.steps)
        yield from _shadowed_variables(definition, routine.steps, known)
        yield from _shadowed_steps(routine.steps, {})


def _shadowed_variables(definition: Definition, block: Block, known: frozenset[str]) -> Iterator[Finding]:
    for step, action in actions_of(block):
        for name in _own_names(action):
            if name in known:
                place = definition.locate(name, Position(step.position.line + 1, 1))
                message = f"{name!r} hides the variable of that name around it, which keeps its value"
                yield warning("shadowed-name", message, place, step.name)


def _own_names(action: object) -> tuple[str, ...]:
    match action:
        case For(value=value, index=index) | Parallel(loop=For(value=value, index=index)):
            return (value,) if index is None else (value, index)
        case Try(handler=Handler(variable=variable)):
            return (variable,)
        case _:
            return ()


def _shadowed_steps(block: Block, around: dict[str, int]) -> Iterator[Finding]:
    here = {**around, **{name: block.steps[place].position.line for name, place in block.places.items()}}
    for step in block.steps:
        if step.name in block.places and step.name in around:
            message = f"step {step.name!r} has the name of a step around it (line {around[step.name]}), so a jump "
            message += "from here means this one"
            yield warning("shadowed-name", message, step.position, step.name)
        for inner in blocks_in(step.action):
            # Jumps cannot leave loops and branches, so names may be used again there.
            outer = here if isinstance(step.action, Steps | Switch | Try) else {}
            yield from _shadowed_steps(inner, outer)


def _find(definition: Definition, text: str, after: Position) -> Position:
    start = after.column - 1
    for number in range(after.line, len(definition.lines) + 1):
        column = definition.lines[number - 1].find(text, start)
        if column >= 0:
            return Position(number, column + 1)
        start = 0
    return after


RULES = (
    Rule(
        "text-around-expression",
        "An expression must be the whole value. With text around it, `${...}` stays what it is: plain text.",
        'Write one expression that joins the parts: ${"Hello " + name}.',
        _text_around_expression,
    ),
    Rule(
        "never-equal",
        'Values of different types are never equal (404 is not "404"), and to order them is a TypeError.',
        "Convert one side with int(), double() or string().",
        _never_equal,
    ),
    Rule(
        "shadowed-name",
        "Inside, the inner thing of that name is meant; assigning or jumping does not reach the outer one.",
        "Rename one of them.",
        _shadowed_name,
    ),
)
