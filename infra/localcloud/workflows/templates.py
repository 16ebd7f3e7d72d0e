"""YAML values with expressions to templates, and the `${...}` rule."""

from __future__ import annotations

from .errors import Position, Problem, SourceError
from .expressions import ExpressionError, Node, Target, parse_expression, parse_target
from .expressions.lexer import closing_brace
from .source import Mapping, Scalar, Sequence, Tree
from .syntax import Expression, ListTemplate, Literal, MapTemplate, Template, expression_position


def template(tree: Tree, step: str | None) -> Template:
    """The template of a value. SourceError for an expression that does not parse."""
    match tree:
        case Scalar(value=str()):
            return _string(tree, step)
        case Scalar(value=value, position=position):
            return Literal(value, position)
        case Sequence(items=items, position=position):
            parts = tuple(template(item, step) for item in items)
            if all(isinstance(part, Literal) for part in parts):
                return Literal([part.value for part in parts if isinstance(part, Literal)], position)
            return ListTemplate(parts, position)
        case Mapping(entries=entries, position=position):
            values = {entry.key: template(entry.value, step) for entry in entries}
            literals = {key: part.value for key, part in values.items() if isinstance(part, Literal)}
            return Literal(literals, position) if len(literals) == len(values) else MapTemplate(values, position)


def target(text: str, position: Position, step: str) -> Target:
    """The left side of an assignment. SourceError when it is none."""
    try:
        return parse_target(text)
    except ExpressionError as error:
        place = Position(position.line, position.column + error.offset)
        raise SourceError([Problem(f"cannot assign to {text!r}: {error.message}", place, step)]) from error


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
        raise SourceError([Problem("${ is not closed by }", scalar.position, step)])
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
        raise SourceError([Problem(f"in the expression ${{{text}}}{where}: {error.message}", place, step)]) from error
