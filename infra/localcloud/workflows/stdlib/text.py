"""text.*: strings. Regular expressions are RE2's, leftmost-longest, as in the service."""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes

import re2  # type: ignore[import-untyped]

from .. import limits
from ..errors import resource_limit_error, value_error
from .signature import BYTES, STRING, Param, Pure, table

_SOURCE = Param("source", STRING)
_MALFORMED_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
# What the host calls text encodings and nobody else does.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})


@functools.lru_cache(maxsize=256)
def _pattern(regexp: str) -> Any:
    options = re2.Options()
    options.longest_match = True
    options.log_errors = False
    try:
        return re2.compile(regexp, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise value_error(f"text: the regular expression {regexp!r}: {reason}") from error


def _find_all(source: str, substr: str) -> list[int]:
    found = []
    place = source.find(substr)
    while place != -1:
        found.append(place)
        place = source.find(substr, place + max(1, len(substr)))
    return found


def _find_all_regex(source: str, regexp: str) -> list[dict[str, Any]]:
    return [{"index": match.start(), "match": match.group()} for match in _matches(source, regexp)]


def _matches(source: str, regexp: str) -> Iterator[Any]:
    """The matches from left to right, without the empty ones that touch the match before, as RE2 replaces."""
    end = None
    for match in _pattern(regexp).finditer(source):
        if match.end() != end:
            end = match.end()
            yield match


def _match_regex(source: str, regexp: str) -> bool:
    return _pattern(regexp).search(source) is not None


def _replace_all(source: str, substr: str, repl: str) -> str:
    _check_length(len(source) + source.count(substr) * (len(repl) - len(substr)))
    return source.replace(substr, repl)


def _replace_all_regex(source: str, regexp: str, repl: str) -> str:
    parts = []
    length = end = 0
    for match in _matches(source, regexp):
        parts += [source[end : match.start()], repl]
        length += match.start() - end + len(repl)
        _check_length(length)
        end = match.end()
    return "".join([*parts, source[end:]])


def _check_length(characters: int) -> None:
    # A few calls could otherwise make a text that no machine holds, long before it is assigned and measured.
    if characters > limits.STRING_BYTES:
        raise resource_limit_error(f"a string of {characters} characters; at most {limits.STRING_BYTES} are allowed")


def _split(source: str, separator: str) -> list[str]:
    return source.split(separator) if separator else list(source)


def _substring(source: str, start: int, end: int) -> str:
    # As in the host's language: negative positions count from the end, those outside the text mean its ends.
    return source[start:end]


def _encode(text: str, charset: str) -> bytes:
    try:
        return text.encode(_codec(charset))
    except (LookupError, UnicodeError) as error:
        raise value_error(f"text.encode: {error}") from error


def _decode(data: bytes, charset: str) -> str:
    # What is no text in the charset becomes U+FFFD.
    try:
        return data.decode(_codec(charset), errors="replace")
    except (LookupError, UnicodeError) as error:
        raise value_error(f"text.decode: {error}") from error


def _codec(charset: str) -> str:
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        name = "undefined"
    if name in _NO_CHARSETS:
        raise value_error(f"text: unknown charset {charset!r}")
    return name


def _url_encode(source: str) -> str:
    return quote(source, safe="")


def _url_encode_plus(source: str) -> str:
    return quote_plus(source, safe="")


def _url_decode(source: str) -> str:
    malformed = _MALFORMED_ESCAPE.search(source)
    if malformed:
        raise value_error(f"text.url_decode: {source[malformed.start() :][:3]!r} is no percent-encoded character")
    try:
        return unquote_to_bytes(source.replace("+", " ")).decode()
    except UnicodeError as error:
        raise value_error(f"text.url_decode: {error}") from error


FUNCTIONS = table(
    Pure("text.encode", (Param("text", STRING), Param("charset", STRING, "utf-8")), _encode),
    Pure("text.decode", (Param("data", BYTES), Param("charset", STRING, "utf-8")), _decode),
    Pure("text.find_all", (_SOURCE, Param("substr", STRING)), _find_all),
    Pure("text.find_all_regex", (_SOURCE, Param("regexp", STRING)), _find_all_regex),
    Pure("text.match_regex", (_SOURCE, Param("regexp", STRING)), _match_regex),
    Pure("text.replace_all", (_SOURCE, Param("substr", STRING), Param("repl", STRING)), _replace_all),
    Pure("text.replace_all_regex", (_SOURCE, Param("regexp", STRING), Param("repl", STRING)), _replace_all_regex),
    Pure("text.split", (_SOURCE, Param("separator", STRING)), _split),
    Pure("text.substring", (_SOURCE, Param("start", (int,)), Param("end", (int,))), _substring),
    Pure("text.to_lower", (_SOURCE,), str.lower),
    Pure("text.to_upper", (_SOURCE,), str.upper),
    Pure("text.url_encode", (_SOURCE,), _url_encode),
    Pure("text.url_encode_plus", (_SOURCE,), _url_encode_plus),
    Pure("text.url_decode", (_SOURCE,), _url_decode),
)
