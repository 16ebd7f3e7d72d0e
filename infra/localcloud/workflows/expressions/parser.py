"""Tokens to tree, by operator precedence: each operator has a binding power, a higher one binds tighter."""

from __future__ import annotations

from typing import Literal, cast

from .. import limits
from .lexer import LITERALS, ExpressionError, Kind, Token, tokens
from .tree import (
    Arithmetic,
    Binary,
    Call,
    Comparison,
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
    Target,
    dotted,
)

OR, AND, COMPARE, ADD, MULTIPLY, SIGN, NOT, POSTFIX = range(10, 90, 10)
_BINDING = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not"), COMPARE),
    **dict.fromkeys(("+", "-"), ADD),
    **dict.fromkeys(("*", "/", "//", "%"), MULTIPLY),
    **dict.fromkeys((".", "[", "("), POSTFIX),
}
# The one integer that only fits with its sign.
_SMALLEST = str(-limits.INTEGER_MINIMUM)


def parse_expression(text: str) -> Node:
    """The tree of the text between `${` and `}`. ExpressionError with the offset of what is wrong."""
    if len(text) > limits.EXPRESSION_CHARACTERS:
        found = f"an expression of {len(text)} characters; at most {limits.EXPRESSION_CHARACTERS} are allowed"
        raise ExpressionError(f"{found}: split it over several assignments", limits.EXPRESSION_CHARACTERS)
    parser = _Parser(tokens(text))
    node = parser.parse(0)
    parser.expect_end()
    return node


def parse_target(text: str) -> Target:
    """The left side of an assignment: `name`, `name.key`, `name[expression]`, or a chain of them."""
    node = parse_expression(text)
    path: list[Node] = []
    while not isinstance(node, Name):
        match node:
            case Member(of=of, key=key, offset=offset):
                path.append(Constant(key, offset))
            case Index(of=of, index=index):
                path.append(index)
            case _:
                message = "the left side of an assignment is a variable, or a key or position in one: a, a.b, a[0]"
                raise ExpressionError(message, node.offset)
        node = of
    return Target(node.name, tuple(reversed(path)))


class _Parser:
    def __init__(self, stream: list[Token]) -> None:
        self._stream = stream
        self._next = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        return self._stream[self._next]

    def advance(self) -> Token:
        token = self.token
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def at(self, *texts: str) -> bool:
        token = self.token
        return token.kind in (Kind.OPERATOR, Kind.KEYWORD) and (token.value or token.text) in texts

    def expect(self, text: str) -> Token:
        if not self.at(text):
            raise ExpressionError(f"expected {text}, found {_described(self.token)}", self.token.offset)
        return self.advance()

    def expect_end(self) -> None:
        if self.token.kind is not Kind.END:
            raise ExpressionError(f"unexpected {_described(self.token)}", self.token.offset)

    def parse(self, minimum: int) -> Node:
        """The longest expression whose operators all bind tighter than `minimum`."""
        self._depth += 1
        if self._depth > limits.EXPRESSION_DEPTH:
            message = f"brackets and prefixes are nested more than {limits.EXPRESSION_DEPTH} levels deep"
            raise ExpressionError(message, self.token.offset)
        left = self.prefix()
        while (power := self.power()) > minimum:
            left = self.infix(left, power)
        self._depth -= 1
        return left

    def power(self) -> int:
        token = self.token
        if token.kind not in (Kind.OPERATOR, Kind.KEYWORD):
            return 0
        return _BINDING.get(token.value or token.text, 0)

    def prefix(self) -> Node:
        token = self.advance()
        match token.kind:
            case Kind.NUMBER:
                if isinstance(token.value, int) and token.value > limits.INTEGER_MAXIMUM:
                    raise ExpressionError(f"{token.text} does not fit in 64 bits", token.offset)
                return Constant(token.value, token.offset)
            case Kind.STRING:
                return Constant(token.value, token.offset)
            case Kind.NAME:
                if token.text in LITERALS and not self.at("("):
                    return Constant(LITERALS[token.text], token.offset)
                return Name(token.text, token.offset)
            case Kind.KEYWORD if token.value == "not":
                return Not(self.parse(NOT), token.offset)
            case Kind.OPERATOR if token.text == "-" and self.token.text == _SMALLEST:
                self.advance()
                return Constant(limits.INTEGER_MINIMUM, token.offset)
            case Kind.OPERATOR if token.text in "+-":
                return Sign(cast("Literal['+', '-']", token.text), self.parse(SIGN), token.offset)
            case Kind.OPERATOR if token.text == "(":
                node = self.parse(0)
                self.expect(")")
                return node
            case Kind.OPERATOR if token.text == "[":
                return ListDisplay(self.items("]"), token.offset)
            case Kind.OPERATOR if token.text == "{":
                return self.map_display(token)
            case _:
                raise ExpressionError(f"expected a value, found {_described(token)}", token.offset)

    def infix(self, left: Node, power: int) -> Node:
        token = self.advance()
        operator = token.value or token.text
        match operator:
            case ".":
                return Member(left, self.key(), left.offset)
            case "[":
                index = self.parse(0)
                self.expect("]")
                return Index(left, index, left.offset)
            case "(":
                return self.call(left, token)
            case "and" | "or":
                return Logical(operator, left, self.parse(power), left.offset)
            case "not":
                self.expect("in")
                return Binary("not in", left, self.parse(power), left.offset)
            case _:
                return Binary(cast("Comparison | Arithmetic", operator), left, self.parse(power), left.offset)

    def call(self, callee: Node, bracket: Token) -> Call:
        function = dotted(callee)
        if function is None:
            raise ExpressionError("only a routine or a library function can be called", bracket.offset)
        return Call(function, self.items(")"), callee.offset)

    def key(self) -> str:
        token = self.advance()
        if token.kind not in (Kind.NAME, Kind.KEYWORD):
            raise ExpressionError(
                f'expected a key, found {_described(token)}; other keys are written as ["key"]', token.offset
            )
        return token.text

    def items(self, closing: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self.at(closing):
            found.append(self.parse(0))
            if not self.at(closing):
                self.expect(",")
        self.expect(closing)
        return tuple(found)

    def map_display(self, brace: Token) -> MapDisplay:
        found: dict[str, Node] = {}
        while not self.at("}"):
            token = self.advance()
            if token.kind not in (Kind.STRING, Kind.NAME):
                raise ExpressionError(f"expected a key, found {_described(token)}", token.offset)
            self.expect(":")
            found[token.value if token.kind is Kind.STRING else token.text] = self.parse(0)
            if not self.at("}"):
                self.expect(",")
        self.expect("}")
        return MapDisplay(tuple(found.items()), brace.offset)


def _described(token: Token) -> str:
    return "the end of the expression" if token.kind is Kind.END else token.text
