"""YAML or JSON text to a tree of values that know their place, by Workflows' rules rather than YAML 1.1's.

Booleans are true/false only, so `yes`, `on` and plain dates are strings; duplicate keys, explicit tags and
aliases that contain themselves are refused. JSON is read as the YAML that it is.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import yaml

from .. import limits
from ..errors import Position, Problem, SourceError
from ..values import ESCAPED_SURROGATE, whole_text

# The loader without any implicit types; the C one when PyYAML was built with it.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_PLAIN_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map", None)
_BOOLEANS = {**dict.fromkeys(("true", "True", "TRUE"), True), **dict.fromkeys(("false", "False", "FALSE"), False)}
_NULLS = ("", "~", "null", "Null", "NULL")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_MOST_DIGITS = 100
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
    """One key of a map with its value. `text_column`: where a one-line key starts, quotes aside."""

    key: str
    position: Position
    value: Tree
    text_column: int | None = None


@dataclass(frozen=True)
class Mapping:
    """A YAML map with unique string keys, in the order of the source."""

    entries: tuple[Entry, ...]
    position: Position

    def get(self, key: str) -> Entry | None:
        """The entry of `key`, or None."""
        return next((entry for entry in self.entries if entry.key == key), None)


Tree = Scalar | Sequence | Mapping


def read_source(text: str, problems: list[Problem]) -> Tree:
    """The tree of a definition; what a value or key is refused for is added to `problems`, and the rest still read.

    SourceError when it is too large or not YAML.
    """
    start = Position(1, 1)
    size = len(text.encode(errors="surrogatepass"))
    if size > limits.SOURCE_BYTES:
        message = f"the source has {size} bytes; at most {limits.SOURCE_BYTES} are allowed"
        raise SourceError([Problem(message, start)])
    tree = _tree(text, problems)
    if tree is None:
        raise SourceError([Problem("the source is empty; a main routine with steps is needed", start)])
    return tree


def read_tree(text: str) -> Tree | None:
    """The tree of any text by the same rules; None when it is empty. SourceError with all that is wrong with it."""
    problems: list[Problem] = []
    tree = _tree(text, problems)
    if problems:
        raise SourceError(problems)
    return tree


def _tree(text: str, problems: list[Problem]) -> Tree | None:
    start = Position(1, 1)
    if "\t" in text and _is_json(text):
        # Not every YAML loader takes the tabs that JSON may be indented with; in its strings there are none.
        text = text.replace("\t", " ")
    try:
        # The C loader refuses characters written as two escapes, as JSON does with emoji.
        node = yaml.compose(text, Loader=yaml.BaseLoader if ESCAPED_SURROGATE.search(text) else _LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise SourceError([Problem(f"not valid YAML: {reason}", _position(mark) if mark else start)]) from error
    except yaml.YAMLError as error:
        raise SourceError([Problem(f"not valid YAML: {error}", start)]) from error
    except RecursionError as error:
        raise SourceError([Problem("not valid YAML: nested too deep", start)]) from error
    return None if node is None else _Converter(problems).tree(node, 0)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


class _Converter:
    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self._count = 0

    def tree(self, node: yaml.Node, depth: int) -> Tree:
        position = _position(node.start_mark)
        # Aliases make a small source large, or endless when one contains itself; both end here.
        self._count += 1
        if self._count > limits.SOURCE_NODES or depth > 2 * limits.BLOCK_DEPTH:
            raise SourceError([Problem("nested too deep, or expanded too far by aliases", position)])
        if node.tag not in _PLAIN_TAGS:
            self._problems.append(Problem(f"the YAML tag {node.tag} is not supported; leave it out", position))
        match node:
            case yaml.ScalarNode():
                try:
                    return _scalar(node, position)
                except SourceError as error:
                    self._problems.extend(error.problems)
                    return Scalar(None, position)
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
                self._problems.append(Problem("a map's key must be a string", place))
                continue
            key = whole_text(key_node.value)
            if key in entries:
                line = entries[key].position.line
                self._problems.append(Problem(f"duplicate key {key!r}; line {line} has it too", place))
                continue
            entries[key] = Entry(key, place, self.tree(value_node, depth + 1), _text_column(key_node, place))
        return Mapping(tuple(entries.values()), position)


def _scalar(node: yaml.ScalarNode, position: Position) -> Scalar:
    value = whole_text(node.value) if node.style else _plain_value(node.value, position)
    return Scalar(value, position, _text_column(node, position))


def _text_column(node: yaml.ScalarNode, position: Position) -> int | None:
    if node.start_mark.line != node.end_mark.line or (node.style and node.style not in "'\""):
        return None
    return position.column + 1 if node.style else position.column


def _plain_value(text: str, position: Position) -> Any:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _BASED_INTEGER.fullmatch(text):
        return _integer(text, 0, position)
    if _INTEGER.fullmatch(text):
        return _integer(text, 10, position)
    if _DOUBLE.fullmatch(text) and not text.lstrip("+-").isdigit():
        if math.isinf(float(text)):
            raise SourceError([Problem(f"{_shown(text)} does not fit in a double", position)])
        return float(text)
    return text


def _integer(text: str, base: int, position: Position) -> int:
    # The host refuses to convert very many digits, of which no number that fits has any.
    value = int(text, base) if len(text) <= _MOST_DIGITS else math.inf
    if not limits.INTEGER_MINIMUM <= value <= limits.INTEGER_MAXIMUM:
        raise SourceError([Problem(f"{_shown(text)} does not fit in 64 bits", position)])
    return int(value)


def _shown(text: str) -> str:
    return text if len(text) <= _MOST_DIGITS else f"{text[:_MOST_DIGITS]}..."
