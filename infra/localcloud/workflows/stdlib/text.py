"""text.*: strings. Regular expressions are RE2's, leftmost-longest, as in the service."""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes

import re2  # type: ignore[import-untyped]

from ..errors import value_error
from .signature import BYTES, STRING, Param, Pure, table

_SOURCE = Param("source", STRING)


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
    return [{"index": m.start(), "match": m.group()} for m in _pattern(regexp).finditer(source)]


def _match_regex(source: str, regexp: str) -> bool:
    return _pattern(regexp).search(source) is not None


def _replace_all(source: str, substr: str, repl: str) -> str:
    return source.replace(substr, repl)


def _replace_all_regex(source: str, regexp: str, repl: str) -> str:
    return str(_pattern(regexp).sub(lambda match: repl, source))


def _split(source: str, separator: str) -> list[str]:
    return source.split(separator) if separator else list(source)


def _substring(source: str, start: int, end: int) -> str:
    if start < 0 or end < start:
        raise value_error(f"text.substring: start {start} and end {end}; 0 <= start <= end is needed")
    return source[start:end]


def _encode(text: str, charset: str) -> bytes:
    try:
        return text.encode(charset)
    except (LookupError, UnicodeError) as error:
        raise value_error(f"text.encode: {error}") from error


def _decode(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset)
    except (LookupError, UnicodeError) as error:
        raise value_error(f"text.decode: {error}") from error


def _url_encode(source: str) -> str:
    return quote(source, safe="", errors="surrogatepass")


def _url_encode_plus(source: str) -> str:
    return quote_plus(source, safe="", errors="surrogatepass")


def _url_decode(source: str) -> str:
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
