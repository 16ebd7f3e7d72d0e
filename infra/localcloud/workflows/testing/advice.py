"""A call without an answer, drawn as the request that it is, and the YAML that would answer it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .matchers import short
from .mocks import MadeCall

_BODY_CHARACTERS = 600


def request_lines(call: MadeCall) -> Iterator[str]:
    """The request as it would be sent, a long body cut."""
    yield f"{call.request.method} {call.request.url}"
    for name, value in call.request.headers.items():
        yield f"{name}: {value}"
    if call.body is not None:
        yield ""
        yield from (call.body if isinstance(call.body, str) else short(call.body, _BODY_CHARACTERS)).splitlines()


def mock_to_add(call: MadeCall) -> Iterator[str]:
    """A mock for this call alone, with an empty answer to be filled in."""
    yield "mocks:"
    yield f"  - step: {call.place}"
    yield f"    function: {call.function}"
    yield f"    method: {call.request.method}"
    yield f"    url: {json.dumps(call.address, ensure_ascii=False)}"
    if call.query:
        yield f"    query: {json.dumps(call.query, ensure_ascii=False)}"
    yield "    answer:"
    yield "      status: 200"
    yield "      body: {}"
