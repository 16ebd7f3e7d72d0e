"""One page of a listing: filtered, ordered, and the token of the next page."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from ...http import GoogleError

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Query:
    """What a caller asks of a listing. `page_size` 0 means the default, `skip` leaves items out before the page."""

    page_size: int = 0
    page_token: str = ""
    filter: str = ""
    order_by: str = ""
    skip: int = 0


def page(items: Iterable[_Item], query: Query, *, default: int, maximum: int) -> tuple[list[_Item], str | None]:
    """The items of the asked page and the next token. INVALID_ARGUMENT for a token of another listing.

    A token is how many items came before, and a digest of filter and order, which have to stay the same.
    """
    if query.page_size < 0 or query.skip < 0:
        raise GoogleError("INVALID_ARGUMENT", "pageSize and skip must not be negative")
    size = min(query.page_size or default, maximum)
    start = _start(query) + query.skip
    found = list(itertools.islice(items, start, start + size + 1))
    return found[:size], f"{start + size}-{_digest(query)}" if len(found) > size else None


def answer(key: str, shown: list[Any], token: str | None) -> dict[str, Any]:
    """A page as the API writes it."""
    return {key: shown, **({"nextPageToken": token} if token else {})}


def _start(query: Query) -> int:
    if not query.page_token:
        return 0
    count, _, digest = query.page_token.partition("-")
    if not (count.isascii() and count.isdigit()) or len(count) > 18:
        raise GoogleError("INVALID_ARGUMENT", f"pageToken {query.page_token!r} was not given by an earlier page")
    if digest != _digest(query):
        raise GoogleError("INVALID_ARGUMENT", "pageToken belongs to a listing with another filter or orderBy")
    return int(count)


def _digest(query: Query) -> str:
    return f"{zlib.crc32(f'{query.filter}|{query.order_by}'.encode()):08x}"
