"""Tree to value: one function per node type.

They are coroutines because an expression may call a subworkflow, which may wait. Nothing else here waits, so an
expression without such a call is evaluated in one go: other branches never see it half done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
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
    dotted,
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
    return await EVALUATORS[type(node)](node, variables, functions)


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


async def _constant(node: Constant, variables: Variables, functions: Functions) -> Any:
    return node.value


async def _name(node: Name, variables: Variables, functions: Functions) -> Any:
    return variables.get(node.name)


async def _member(node: Member, variables: Variables, functions: Functions) -> Any:
    path = dotted(node)
    if path is not None and path.partition(".")[0] not in variables:
        try:
            return functions.constant(path)
        except KeyError:
            pass
    return element(await evaluate(node.of, variables, functions), node.key)


async def _index(node: Index, variables: Variables, functions: Functions) -> Any:
    container = await evaluate(node.of, variables, functions)
    return element(container, await evaluate(node.index, variables, functions))


async def _list(node: ListDisplay, variables: Variables, functions: Functions) -> list[Any]:
    return [await evaluate(item, variables, functions) for item in node.items]


async def _map(node: MapDisplay, variables: Variables, functions: Functions) -> dict[str, Any]:
    return {key: await evaluate(item, variables, functions) for key, item in node.items}


async def _sign(node: Sign, variables: Variables, functions: Functions) -> Any:
    return signed(node.operator, await evaluate(node.of, variables, functions))


async def _not(node: Not, variables: Variables, functions: Functions) -> bool:
    return not boolean(await evaluate(node.of, variables, functions), "the operand of not")


async def _logical(node: Logical, variables: Variables, functions: Functions) -> bool:
    left = boolean(await evaluate(node.left, variables, functions), f"the left side of {node.operator}")
    if left is (node.operator == "or"):
        return left
    return boolean(await evaluate(node.right, variables, functions), f"the right side of {node.operator}")


async def _binary(node: Binary, variables: Variables, functions: Functions) -> Any:
    left = await evaluate(node.left, variables, functions)
    return OPERATORS[node.operator](left, await evaluate(node.right, variables, functions))


async def _call(node: Call, variables: Variables, functions: Functions) -> Any:
    return await functions.call(node.function, [await evaluate(a, variables, functions) for a in node.arguments])


EVALUATORS: Mapping[type, Callable[[Any, Variables, Functions], Awaitable[Any]]] = {
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
    Call: _call,
}
