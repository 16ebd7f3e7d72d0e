"""The nodes of an expression. `offset` is where a node starts in the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Comparison = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
Arithmetic = Literal["+", "-", "*", "/", "//", "%"]


@dataclass(frozen=True)
class Constant:
    """A literal: number, string, boolean or null."""

    value: Any
    offset: int


@dataclass(frozen=True)
class Name:
    """A variable, or the first part of a dotted library name."""

    name: str
    offset: int


@dataclass(frozen=True)
class Member:
    """`of.key`."""

    of: Node
    key: str
    offset: int


@dataclass(frozen=True)
class Index:
    """`of[index]`."""

    of: Node
    index: Node
    offset: int


@dataclass(frozen=True)
class ListDisplay:
    """`[a, b]`."""

    items: tuple[Node, ...]
    offset: int


@dataclass(frozen=True)
class MapDisplay:
    """`{"a": 1, b: 2}`; keys are constant strings."""

    items: tuple[tuple[str, Node], ...]
    offset: int


@dataclass(frozen=True)
class Sign:
    """`-x` or `+x`."""

    operator: Literal["+", "-"]
    of: Node
    offset: int


@dataclass(frozen=True)
class Not:
    """`not x`."""

    of: Node
    offset: int


@dataclass(frozen=True)
class Logical:
    """`and`, `or`: the right side is evaluated only when it decides."""

    operator: Literal["and", "or"]
    left: Node
    right: Node
    offset: int


@dataclass(frozen=True)
class Binary:
    """Arithmetic, comparison or membership."""

    operator: Comparison | Arithmetic
    left: Node
    right: Node
    offset: int


@dataclass(frozen=True)
class Call:
    """`routine(...)`, `helper(...)` or `module.function(...)`, positional."""

    function: str
    arguments: tuple[Node, ...]
    offset: int


Node = Constant | Name | Member | Index | ListDisplay | MapDisplay | Sign | Not | Logical | Binary | Call


@dataclass(frozen=True)
class Target:
    """The left side of an assignment: a variable, then one node for each key or position below it."""

    variable: str
    path: tuple[Node, ...]


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below `node`."""
    match node:
        case Constant() | Name():
            return ()
        case Member(of=of) | Sign(of=of) | Not(of=of):
            return (of,)
        case Index(of=of, index=index):
            return (of, index)
        case ListDisplay(items=items):
            return items
        case MapDisplay(items=pairs):
            return tuple(item for _, item in pairs)
        case Logical(left=left, right=right) | Binary(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments


def with_children(node: Node, parts: Sequence[Node]) -> Node:
    """The same node over other parts, as many as `children` gives."""
    match node:
        case Constant() | Name():
            return node
        case Member() | Sign() | Not():
            return replace(node, of=parts[0])
        case Index():
            return replace(node, of=parts[0], index=parts[1])
        case ListDisplay():
            return replace(node, items=tuple(parts))
        case MapDisplay(items=pairs):
            return replace(node, items=tuple((key, part) for (key, _), part in zip(pairs, parts, strict=True)))
        case Logical() | Binary():
            return replace(node, left=parts[0], right=parts[1])
        case Call():
            return replace(node, arguments=tuple(parts))


def has_call(node: Node) -> bool:
    """Whether anything is called in `node`, so that its value may have to be waited for."""
    return any(isinstance(part, Call) for part in walk(node))


def walk(node: Node) -> Iterator[Node]:
    """`node` and everything below it."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(children(current))


def dotted(node: Node) -> str | None:
    """`a.b.c` for a chain of names, else None."""
    parts: list[str] = []
    while isinstance(node, Member):
        parts.append(node.key)
        node = node.of
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, Name) else None
