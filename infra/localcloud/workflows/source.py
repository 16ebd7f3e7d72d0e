"""YAML or JSON text to a tree of values that know their place, by Workflows' rules rather than YAML 1.1's.

Booleans are true/false only, so `yes`, `on` and plain dates are strings; duplicate keys, explicit tags and
aliases that contain themselves are refused. JSON is read as the YAML that it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from . import limits
from .errors import Position, Problem, SourceError

# The loader without any implicit types; the C one when PyYAML was built with it.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_PLAIN_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map", None)
_BOOLEANS = {**dict.fromkeys(("true", "True", "TRUE"), True), **dict.fromkeys(("false", "False", "FALSE"), False)}
_NULLS = ("", "~", "null", "Null", "NULL")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BASED_INTEGER = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_DOUBLE = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Scalar:
    """Null, boolean, integer, double or string. `text_column`: where a one-line string starts."""

    value: Any
    position: Position
    text_column: int | None = None


@dataclass(frozen=True)
class Sequence:
    """A YAML list."""

    items: tuple[Tree, ...]
    position: Position


@dataclass(frozen=True)
class Entry:
    """One key of a map with its value."""

    key: str
    position: Position
    value: Tree


@dataclass(frozen=True)
class Mapping:
    """A YAML map with unique string keys, in the order of the source."""

    entries: tuple[Entry, ...]
    position: Position

    def get(self, key: str) -> Entry | None:
        """The entry of `key`, or None."""
        return next((entry for entry in self.entries if entry.key == key), None)


Tree = Scalar | Sequence | Mapping


def read_source(text: str) -> Tree:
    """The tree of a definition. SourceError when it is too large or not YAML."""
    start = Position(1, 1)
    size = len(text.encode())
    if size > limits.SOURCE_BYTES:
        message = f"the source has {size} bytes; at most {limits.SOURCE_BYTES} are allowed"
        raise SourceError([Problem(message, start)])
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise SourceError([Problem(f"not valid YAML: {reason}", _position(mark) if mark else start)]) from error
    except yaml.YAMLError as error:
        raise SourceError([Problem(f"not valid YAML: {error}", start)]) from error
    except RecursionError as error:
        raise SourceError([Problem("not valid YAML: nested too deep", start)]) from error
    if node is None:
        raise SourceError([Problem("the source is empty; a main routine with steps is needed", start)])
    return _Converter().tree(node, 0)


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


class _Converter:
    def __init__(self) -> None:
        self._count = 0

    def tree(self, node: yaml.Node, depth: int) -> Tree:
        position = _position(node.start_mark)
        # Aliases make a small source large, or endless when one contains itself; both end here.
        self._count += 1
        if self._count > limits.SOURCE_NODES or depth > 2 * limits.BLOCK_DEPTH:
            raise SourceError([Problem("nested too deep, or expanded too far by aliases", position)])
        if node.tag not in _PLAIN_TAGS:
            raise SourceError([Problem(f"the YAML tag {node.tag} is not supported", position)])
        match node:
            case yaml.ScalarNode():
                return _scalar(node, position)
            case yaml.SequenceNode():
                return Sequence(tuple(self.tree(item, depth + 1) for item in node.value), position)
            case yaml.MappingNode():
                return self.mapping(node, position, depth)
            case _:
                raise SourceError([Problem(f"unexpected YAML node {node}", position)])

    def mapping(self, node: yaml.MappingNode, position: Position, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            place = _position(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                raise SourceError([Problem("a map's key must be a string", place)])
            key = key_node.value
            if key in entries:
                raise SourceError([Problem(f"duplicate key {key!r}", place)])
            entries[key] = Entry(key, place, self.tree(value_node, depth + 1))
        return Mapping(tuple(entries.values()), position)


def _scalar(node: yaml.ScalarNode, position: Position) -> Scalar:
    one_line = node.start_mark.line == node.end_mark.line
    if node.style:
        return Scalar(node.value, position, position.column + 1 if one_line and node.style in "'\"" else None)
    return Scalar(_plain_value(node.value, position), position, position.column if one_line else None)


def _plain_value(text: str, position: Position) -> Any:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _BASED_INTEGER.fullmatch(text):
        return _fitting(int(text, 0), position)
    if _INTEGER.fullmatch(text):
        return _fitting(int(text), position)
    if _DOUBLE.fullmatch(text) and not text.lstrip("+-").isdigit():
        return float(text)
    return text


def _fitting(value: int, position: Position) -> int:
    if not limits.INTEGER_MINIMUM <= value <= limits.INTEGER_MAXIMUM:
        raise SourceError([Problem(f"{value} does not fit in 64 bits", position)])
    return value
