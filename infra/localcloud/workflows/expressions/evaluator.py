"""Tree to value: one function per node type.

Only calls may wait, for a subworkflow that sleeps. So a tree without calls, as most are, is computed by plain
functions; in any other the parts with calls are awaited first, in their order, and computed with as constants. Between
two calls nothing waits: other branches never see an expression half done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..errors import index_error, key_error, type_error
from ..values import type_name
from .operators import OPERATORS, boolean, signed
from .tree import (
    Binary,
    Call,
    Constant,
    Index,
    ListDisplay,
    Logical,
    MapDisplay,
    Member,
    Name,
    Node,
    Not,
    Sign,
    children,
    dotted,
    has_call,
    with_children,
)


class Variables(Protocol):
    """Where names are looked up."""

    def get(self, name: str) -> Any:
        """The value of a variable; KeyError, as a workflow's error, when it has none yet."""
        ...

    def __contains__(self, name: str) -> bool: ...


class Functions(Protocol):
    """What expressions may call, and the library's constants."""

    async def call(self, function: str, arguments: Sequence[Any]) -> Any:
        """The result of a routine or library function with positional arguments."""
        ...

    def constant(self, name: str) -> Any:
        """The value of a library constant such as `retry.default_backoff`; KeyError of the host when there is none."""
        ...


async def evaluate(node: Node, variables: Variables, functions: Functions) -> Any:
    """The node's value. WorkflowError when it has none."""
    if not has_call(node):
        return compute(node, variables, functions)
    match node:
        case Call():
            arguments = [await evaluate(argument, variables, functions) for argument in node.arguments]
            return await functions.call(node.function, arguments)
        case Logical():
            left = _side(node, "left", await evaluate(node.left, variables, functions))
            return (
                left if _decides(node, left) else _side(node, "right", await evaluate(node.right, variables, functions))
            )
        case _:
            parts = [Constant(await evaluate(part, variables, functions), part.offset) for part in children(node)]
            return compute(with_children(node, parts), variables, functions)


def compute(node: Node, variables: Variables, functions: Functions) -> Any:
    """The value of a node without calls. WorkflowError when it has none."""
    return COMPUTERS[type(node)](node, variables, functions)


def element(container: Any, key: Any) -> Any:
    """`container[key]`, for maps and lists."""
    match container:
        case dict():
            if type(key) is not str:
                raise type_error(f"a map's key must be a string, not {type_name(key)}")
            try:
                return container[key]
            except KeyError:
                raise key_error(key) from None
        case list():
            check_position(container, key)
            return container[key]
        case _:
            raise type_error(f"{_shown(key)} cannot be read from a value of type {type_name(container)}")


def check_position(items: list[Any], position: Any) -> None:
    """TypeError or IndexError unless `position` is one of the list's."""
    if type(position) is not int:
        raise type_error(f"a list's index must be an integer, not {type_name(position)}")
    if not 0 <= position < len(items):
        raise index_error(position, len(items))


def _shown(key: Any) -> str:
    return f"key {key!r}" if isinstance(key, str) else f"index {key}"


def _constant(node: Constant, variables: Variables, functions: Functions) -> Any:
    return node.value


def _name(node: Name, variables: Variables, functions: Functions) -> Any:
    return variables.get(node.name)


def _member(node: Member, variables: Variables, functions: Functions) -> Any:
    path = dotted(node)
    if path is not None and path.partition(".")[0] not in variables:
        try:
            return functions.constant(path)
        except KeyError:
            pass
    return element(compute(node.of, variables, functions), node.key)


def _index(node: Index, variables: Variables, functions: Functions) -> Any:
    container = compute(node.of, variables, functions)
    return element(container, compute(node.index, variables, functions))


def _list(node: ListDisplay, variables: Variables, functions: Functions) -> list[Any]:
    return [compute(item, variables, functions) for item in node.items]


def _map(node: MapDisplay, variables: Variables, functions: Functions) -> dict[str, Any]:
    return {key: compute(item, variables, functions) for key, item in node.items}


def _sign(node: Sign, variables: Variables, functions: Functions) -> Any:
    return signed(node.operator, compute(node.of, variables, functions))


def _not(node: Not, variables: Variables, functions: Functions) -> bool:
    return not boolean(compute(node.of, variables, functions), "the operand of not")


def _logical(node: Logical, variables: Variables, functions: Functions) -> bool:
    left = _side(node, "left", compute(node.left, variables, functions))
    return left if _decides(node, left) else _side(node, "right", compute(node.right, variables, functions))


def _side(node: Logical, side: str, value: Any) -> bool:
    return boolean(value, f"the {side} side of {node.operator}")


def _decides(node: Logical, left: bool) -> bool:
    return left is (node.operator == "or")


def _binary(node: Binary, variables: Variables, functions: Functions) -> Any:
    left, right = node.left, node.right
    value = COMPUTERS[type(left)](left, variables, functions)
    return OPERATORS[node.operator](value, COMPUTERS[type(right)](right, variables, functions))


COMPUTERS: Mapping[type, Callable[[Any, Variables, Functions], Any]] = {
    Constant: _constant,
    Name: _name,
    Member: _member,
    Index: _index,
    ListDisplay: _list,
    MapDisplay: _map,
    Sign: _sign,
    Not: _not,
    Logical: _logical,
    Binary: _binary,
}
