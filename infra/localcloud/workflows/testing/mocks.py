"""Answers in place of the network, and a record of every call that was made."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ...clock import Clock
from .. import limits
from ..errors import WorkflowError, connection_error, connection_failed_error, timeout_error
from ..language.syntax import Call
from ..running.http_client import HttpReply, HttpRequest
from ..stdlib.http import decode_body
from .cases import ALWAYS, Answer, CallPattern, Mock
from .following import current_entry
from .matchers import Difference, differences, fits, short

_FAILURES = {
    "ConnectionError": connection_error,
    "ConnectionFailedError": connection_failed_error,
    "TimeoutError": timeout_error,
}


@dataclass(frozen=True)
class MadeCall:
    """A request that the workflow made, with the step that made it."""

    routine: str
    step: str
    function: str
    request: HttpRequest
    at_seconds: float

    @property
    def place(self) -> str:
        """ROUTINE.STEP."""
        return f"{self.routine}.{self.step}"

    @property
    def address(self) -> str:
        """The URL without its query."""
        return self.request.url.partition("?")[0]

    @functools.cached_property
    def query(self) -> dict[str, Any]:
        """The query; a repeated key has a list."""
        found = parse_qs(urlsplit(self.request.url).query, keep_blank_values=True)
        return {key: values[0] if len(values) == 1 else values for key, values in found.items()}

    @functools.cached_property
    def body(self) -> Any:
        """The body decoded by its content type; text where bytes are text."""
        content = self.request.body
        decoded = decode_body(content, self.header("content-type") or "")
        return content.decode(errors="replace") if isinstance(decoded, bytes) else decoded

    def header(self, name: str) -> str | None:
        """A header's value."""
        return next((value for key, value in self.request.headers.items() if key.lower() == name.lower()), None)

    def __str__(self) -> str:
        return f"{self.request.method} {self.request.url} ({self.place})"


class Unanswered(Exception):
    """No mock answers a call."""

    def __init__(self, call: MadeCall) -> None:
        super().__init__(str(call))
        self.call = call


def misfits(pattern: CallPattern, call: MadeCall) -> Iterator[Difference]:
    """In what a call differs from a pattern."""
    if pattern.step is not None and pattern.step not in (call.step, call.place):
        yield Difference("step", pattern.step, call.place)
    for name, wanted, found in (
        ("function", pattern.function, call.function),
        ("method", pattern.method, call.request.method),
    ):
        if wanted is not None and wanted != found:
            yield Difference(name, wanted, found)
    if pattern.url is not None and not any(_like(pattern.url, url) for url in (call.address, call.request.url)):
        yield Difference("url", pattern.url, call.request.url)
    for key, value in pattern.query.items():
        # A query has strings only; numbers and booleans are written as such in a case.
        sent = call.query.get(key)
        if not fits(value, sent) and short(value).strip('"') != sent:
            yield Difference(f"query.{key}", short(value), "nothing" if sent is None else short(sent))
    for key, value in pattern.headers.items():
        header = call.header(key)
        if not fits(value, header):
            yield Difference(f"headers.{key}", short(value), "nothing" if header is None else short(header))
    if pattern.body is not None:
        yield from differences(pattern.body.value, call.body, "body")


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


@dataclass
class _Serving:
    """A mock with how many answers it has given: `answer` is the one that is next."""

    mock: Mock
    place: int = 0
    given: int = 0
    used: bool = False

    def take(self) -> Answer | None:
        """The next answer; None when they are used up."""
        if self.place == len(self.mock.answers):
            return None
        answer = self.mock.answers[self.place]
        self.used = True
        self.given += 1
        if answer.times != ALWAYS and self.given >= answer.times:
            self.place += 1
            self.given = 0
        return answer


@dataclass
class MockedHttp:
    """The HTTP client of an execution under test. `unanswered` is the first call that no mock answered."""

    clock: Clock
    start: float
    mocks: Sequence[Mock]
    calls: list[MadeCall] = field(default_factory=list)
    unanswered: MadeCall | None = None

    def __post_init__(self) -> None:
        self._serving = [_Serving(mock) for mock in self.mocks]

    async def send(self, request: HttpRequest) -> HttpReply:
        """The answer of the first mock that fits. Unanswered when there is none."""
        call = self._made(request)
        self.calls.append(call)
        for serving in self._serving:
            if next(misfits(serving.mock.pattern, call), None) is None:
                answer = serving.take()
                if answer is not None:
                    return await self._reply(answer, call)
        self.unanswered = self.unanswered or call
        raise Unanswered(call)

    def unused(self) -> tuple[Mock, ...]:
        """The case's own mocks that answered nothing."""
        return tuple(serving.mock for serving in self._serving if not serving.used and not serving.mock.shared)

    async def _reply(self, answer: Answer, call: MadeCall) -> HttpReply:
        if answer.failure == "TimeoutError" and answer.delay_seconds == 0:
            # Longer than any request may take: the step's own timeout ends it.
            await self.clock.sleep(limits.HTTP_TIMEOUT_MAXIMUM_SECONDS + 1)
        await self.clock.sleep(answer.delay_seconds)
        if answer.failure is not None:
            raise self._failure(answer.failure, call)
        return HttpReply(answer.status, answer.headers, answer.body)

    def _failure(self, tag: str, call: MadeCall) -> WorkflowError:
        return _FAILURES[tag](f"{call.request.method} {call.request.url}: the mock says so")

    def _made(self, request: HttpRequest) -> MadeCall:
        entry = current_entry()
        action = entry.action if entry is not None else None
        return MadeCall(
            routine=entry.routine if entry is not None else "",
            step=entry.name if entry is not None else "",
            function=action.function if isinstance(action, Call) else "",
            request=request,
            at_seconds=self.clock.now() - self.start,
        )
