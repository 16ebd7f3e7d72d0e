"""Text to tokens, and the search for the brace that closes `${`."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..values import whole_text

KEYWORDS = {"and": "and", "AND": "and", "or": "or", "OR": "or", "not": "not", "NOT": "not", "in": "in", "IN": "in"}
LITERALS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL"), None),
}
_STRING = r'"(?:[^"\\]|\\.)*+"'
_TOKEN = re.compile(
    rf"""(?P<blank>\s+)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<string>{_STRING})
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator>==|!=|<=|>=|//|[-+*/%<>.,:()\[\]{{}}])""",
    re.VERBOSE | re.DOTALL,
)
# A string that is never closed reaches to the end, so that the search for a brace reads each character once.
_STRING_OR_BRACE = re.compile(rf"{_STRING}?|[{{}}]", re.DOTALL)


class ExpressionError(Exception):
    """An expression that does not parse. `offset` counts characters from the start of its text."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Kind(Enum):
    """What a token is."""

    NUMBER = "number"
    STRING = "string"
    NAME = "name"
    KEYWORD = "keyword"
    OPERATOR = "operator"
    END = "end"


@dataclass(frozen=True)
class Token:
    """`text` as written; `value` is set for numbers and strings, and the lower-case word for keywords."""

    kind: Kind
    text: str
    offset: int
    value: Any = None


def tokens(text: str) -> list[Token]:
    """The tokens of an expression, ending with one of kind END. ExpressionError with the offset of what is wrong."""
    found: list[Token] = []
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            raise ExpressionError(_unknown(text, offset), offset)
        if match.lastgroup != "blank":
            found.append(_token(match))
        offset = match.end()
    found.append(Token(Kind.END, "", len(text)))
    return found


def closing_brace(text: str, start: int) -> int | None:
    """The index of the brace that closes the one before `start`, or None; braces in string literals do not count."""
    depth = 1
    for match in _STRING_OR_BRACE.finditer(text, start):
        if match.group() == "{":
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if depth == 0:
                return match.start()
    return None


def _token(match: re.Match[str]) -> Token:
    text, offset = match.group(), match.start()
    match match.lastgroup:
        case "number":
            value = float(text) if any(c in text for c in ".eE") else int(text)
            if value == math.inf:
                raise ExpressionError(f"{text} does not fit in a double", offset)
            return Token(Kind.NUMBER, text, offset, value)
        case "string":
            try:
                return Token(Kind.STRING, text, offset, whole_text(json.loads(text, strict=False)))
            except ValueError as error:
                raise ExpressionError(
                    f"invalid escape in the string {text}; JSON's escapes are allowed", offset
                ) from error
        case "word" if text in KEYWORDS:
            return Token(Kind.KEYWORD, text, offset, KEYWORDS[text])
        case "word":
            return Token(Kind.NAME, text, offset)
        case _:
            return Token(Kind.OPERATOR, text, offset)


def _unknown(text: str, offset: int) -> str:
    character = text[offset]
    if character == '"':
        return "this string is not closed"
    if character == "'":
        return "strings are written with double quotes"
    if text.startswith("&&", offset) or text.startswith("||", offset) or character == "!":
        return "operators are written as words: and, or, not"
    if character == "=":
        return "found =; comparison is =="
    if character == "$":
        return "${ is written once, around the whole expression"
    return f"unexpected character {character!r}"
