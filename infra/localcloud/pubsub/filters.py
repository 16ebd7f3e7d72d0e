"""The filter language of subscriptions: text in, a decision about a message's attributes out.

Grammar (https://cloud.google.com/pubsub/docs/subscription-message-filter)::

    filter  = term { AND term } | term { OR term }       AND and OR mix only through parentheses
    term    = [ NOT | - ] ( "(" filter ")" | test )
    test    = attributes : KEY
            | attributes . KEY ( = | != ) "VALUE"
            | hasPrefix ( attributes . KEY , "VALUE" )
    KEY     = letters, digits, _ and -; or a quoted string

An attribute that is absent equals nothing, so ``!=`` is true of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

from localcloud.http import GoogleError

MAX_FILTER_BYTES = 256
Matches: TypeAlias = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<word>[A-Za-z0-9_][A-Za-z0-9_\-]*)
      | (?P<sign>!=|[=:.,()\-])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|[0-7]{3}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'",
    "?": "?",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["string", "word", "sign", "end"]
    text: str
    column: int


def compile_filter(text: str) -> Matches:
    """A function that says whether a message with these attributes is delivered; INVALID_ARGUMENT for bad syntax."""
    if len(text.encode()) > MAX_FILTER_BYTES:
        raise GoogleError(
            "INVALID_ARGUMENT", f"the filter has {len(text.encode())} bytes; allowed are {MAX_FILTER_BYTES}"
        )
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._tokenize()
        self._position = 0

    def parse(self) -> Matches:
        matches = self._expression()
        if self._next.kind != "end":
            self._refuse("AND, OR or the end of the filter")
        return matches

    def _tokenize(self) -> list[_Token]:
        tokens = []
        position = 0
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                self._refuse_at(position, repr(self._text[position]), "an attribute test")
            match match.lastgroup:
                case "string" | "word" | "sign" as kind:
                    tokens.append(_Token(kind, match.group(), position))
            position = match.end()
        tokens.append(_Token("end", "", len(self._text)))
        return tokens

    def _expression(self) -> Matches:
        terms = [self._term()]
        operator = self._next.text if self._next.text in ("AND", "OR") and self._next.kind == "word" else None
        while operator is not None and self._next.kind == "word" and self._next.text in ("AND", "OR"):
            if self._next.text != operator:
                self._refuse("parentheses, which AND and OR need when they are combined")
            self._take()
            terms.append(self._term())
        if len(terms) == 1:
            return terms[0]
        if operator == "AND":
            return lambda attributes: all(term(attributes) for term in terms)
        return lambda attributes: any(term(attributes) for term in terms)

    def _term(self) -> Matches:
        if self._next.text in ("NOT", "-") and self._next.kind != "string":
            self._take()
            inner = self._term()
            return lambda attributes: not inner(attributes)
        if self._next == _Token("sign", "(", self._next.column):
            self._take()
            matches = self._expression()
            self._expect(")")
            return matches
        return self._test()

    def _test(self) -> Matches:
        if self._next.kind == "word" and self._next.text == "hasPrefix":
            self._take()
            self._expect("(")
            self._expect("attributes")
            self._expect(".")
            key = self._key()
            self._expect(",")
            prefix = self._string()
            self._expect(")")
            return lambda attributes: key in attributes and attributes[key].startswith(prefix)
        self._expect("attributes")
        if self._accept(":"):
            key = self._key()
            return lambda attributes: key in attributes
        self._expect(".")
        key = self._key()
        if self._accept("="):
            value = self._string()
            return lambda attributes: key in attributes and attributes[key] == value
        self._expect("!=")
        value = self._string()
        return lambda attributes: key not in attributes or attributes[key] != value

    def _key(self) -> str:
        if self._next.kind == "word":
            return self._take().text
        return self._string(expected="an attribute's key")

    def _string(self, expected: str = "a string in double quotes") -> str:
        if self._next.kind != "string":
            self._refuse(expected)
        token = self._take()
        return _ESCAPE.sub(lambda match: self._unescape(match.group(1), token.column), token.text[1:-1])

    def _unescape(self, code: str, column: int) -> str:
        try:
            if code[0] in "uUx" and len(code) > 1:
                return chr(int(code[1:], 16))
            if len(code) == 3:
                return chr(int(code, 8))
            return _SIMPLE_ESCAPES[code]
        except (KeyError, ValueError, OverflowError):
            self._refuse_at(column, f"the escape \\{code}", "one of the escapes of a string")

    @property
    def _next(self) -> _Token:
        return self._tokens[self._position]

    def _take(self) -> _Token:
        token = self._next
        self._position += 1
        return token

    def _accept(self, text: str) -> bool:
        if self._next.kind in ("sign", "word") and self._next.text == text:
            self._position += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            self._refuse(text)

    def _refuse(self, expected: str) -> NoReturn:
        found = "the end" if self._next.kind == "end" else repr(self._next.text)
        self._refuse_at(self._next.column, found, expected)

    def _refuse_at(self, column: int, found: str, expected: str) -> NoReturn:
        raise GoogleError(
            "INVALID_ARGUMENT",
            f"invalid filter {self._text!r}: found {found} at column {column + 1}, expected {expected}",
        )
