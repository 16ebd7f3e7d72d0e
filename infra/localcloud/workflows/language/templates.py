"""YAML values with expressions to templates, and the `${...}` rule."""

from __future__ import annotations

from ..errors import Position, Problem, SourceError
from ..expressions import ExpressionError, Node, Target, parse_expression, parse_target
from ..expressions.lexer import closing_brace
from ..expressions.tree import Constant
from .source import Mapping, Scalar, Sequence, Tree
from .syntax import ComputedMap, Expression, ListTemplate, Literal, MapTemplate, Template, expression_position

# The most of an expression that a message repeats.
_SHOWN_CHARACTERS = 100


def template(tree: Tree, step: str | None, problems: list[Problem]) -> Template:
    """The template of a value. Expressions that do not parse are added to `problems` and stand for null."""
    match tree:
        case Scalar(value=str()):
            return _string_or_null(tree, step, problems)
        case Scalar(value=value, position=position):
            return Literal(value, position)
        case Sequence(items=items, position=position):
            parts = tuple(template(item, step, problems) for item in items)
            if all(isinstance(part, Literal) for part in parts):
                return Literal([part.value for part in parts if isinstance(part, Literal)], position)
            return ListTemplate(parts, position)
        case Mapping(entries=entries, position=position):
            keys = [
                _string_or_null(Scalar(entry.key, entry.position, entry.text_column), step, problems)
                for entry in entries
            ]
            parts = tuple(template(entry.value, step, problems) for entry in entries)
            if any(isinstance(key, Expression) for key in keys):
                return ComputedMap(tuple(zip(keys, parts, strict=True)), position)
            values = {entry.key: part for entry, part in zip(entries, parts, strict=True)}
            literals = {key: part.value for key, part in values.items() if isinstance(part, Literal)}
            return Literal(literals, position) if len(literals) == len(values) else MapTemplate(values, position)


def target(text: str, position: Position, step: str) -> Target:
    """The left side of an assignment. SourceError when it is none."""
    try:
        return parse_target(text)
    except ExpressionError as error:
        place = Position(position.line, position.column + error.offset)
        raise SourceError([Problem(f"cannot assign to {_shown(text)!r}: {error.message}", place, step)]) from error


def _string_or_null(scalar: Scalar, step: str | None, problems: list[Problem]) -> Literal | Expression:
    try:
        return _string(scalar, step)
    except SourceError as error:
        problems.extend(error.problems)
        return Expression(Constant(None, 0), "null", scalar.position)


def _string(scalar: Scalar, step: str | None) -> Literal | Expression:
    """An expression when `${...}` covers the whole string, blanks around it aside; otherwise plain text."""
    text: str = scalar.value
    stripped = text.strip()
    if not stripped.startswith("${"):
        return Literal(text, scalar.position)
    start = text.index("${") + 2
    column = None if scalar.text_column is None else scalar.text_column + start
    end = closing_brace(text, start)
    if end is None:
        place = expression_position(scalar.position, column, -len("${"))
        raise SourceError([Problem("${ is not closed by }; braces inside quotes do not close it", place, step)])
    if text[end + 1 :].strip():
        # Differs: the service documents no text around an expression; it is kept as plain text here.
        return Literal(text, scalar.position)
    return Expression(_parse(text[start:end], scalar.position, column, step), text[start:end], scalar.position, column)


def _parse(text: str, position: Position, column: int | None, step: str | None) -> Node:
    try:
        return parse_expression(text)
    except ExpressionError as error:
        place = expression_position(position, column, error.offset)
        where = "" if column is not None else f" at character {error.offset + 1}"
        message = f"in the expression ${{{_shown(text)}}}{where}: {error.message}"
        raise SourceError([Problem(message, place, step)]) from error


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
