"""A connector call under way: requests with retries, one deadline for all, and the wait for what they started.

Every request, its answer and every pause is journaled. So a call that is interrupted goes on where it was: what was
started is not started again once its answer is recorded, and the deadline stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .. import limits
from ..errors import WorkflowError, timeout_error
from ..running.http_client import HttpRequest, within
from ..stdlib.http import USER_AGENT, decode_reply, local_token
from ..stdlib.retry import FUNCTIONS as PREDICATES
from ..stdlib.retry import POLICIES
from .arguments import CONNECTOR_PARAMS, Outgoing, outgoing
from .methods import Method
from .parameters import Backoff, ConnectorParams, connector_params
from .progress import Awaited, checked

if TYPE_CHECKING:
    from ..running.runtime import Strand

_IDEMPOTENT: Final = "http.default_retry"
_NON_IDEMPOTENT: Final = "http.default_retry_non_idempotent"


async def call_method(strand: Strand, method: Method, named: Mapping[str, Any]) -> Any:
    """The decoded answer of a method, or the result of what it started once that has ended."""
    region = named.get(method.region_argument) if method.region_argument is not None else None
    call = await Call.begin(strand, method, connector_params(named.get(CONNECTOR_PARAMS)), region)
    answer = await call.send(outgoing(method, named))
    if method.awaited is None or call.params.skip_polling:
        return answer
    return await call.wait(method.awaited, answer)


@dataclass(frozen=True)
class Call:
    """One call; `deadline` is when all of it must have ended."""

    strand: Strand
    method: Method
    params: ConnectorParams
    region: str | None
    deadline: float

    @classmethod
    async def begin(cls, strand: Strand, method: Method, params: ConnectorParams, region: str | None = None) -> Call:
        """A call that starts now."""
        return cls(strand, method, params, region, await strand.now() + params.timeout_seconds)

    async def send(self, request: Outgoing) -> Any:
        """The decoded body of the answer, after retries. HttpError, ConnectionError, TimeoutError and their like."""
        policy = POLICIES[_IDEMPOTENT if request.method == "GET" else _NON_IDEMPOTENT]
        predicate, backoff = PREDICATES[policy["predicate"]].body, Backoff(**policy["backoff"])
        retries = 0
        while True:
            try:
                return await self.strand.effect(lambda: self._attempt(request))
            except WorkflowError as error:
                if retries >= policy["max_retries"] or not predicate(error.payload):
                    raise
            await self._pause(backoff.delay(retries))
            retries += 1

    async def wait(self, awaited: Awaited, answer: Any) -> Any:
        """The result of what an answer says was started. OperationError, ResponseTypeError, TimeoutError."""
        name = self.method.name
        path = checked(lambda first: awaited.path(first, self.method.version), name, answer)
        polls = 0
        while True:
            progress = checked(awaited.progress, name, answer)
            if progress.failure is not None:
                raise progress.failure
            if progress.done:
                return progress.result
            await self._pause(self.params.polling.delay(polls))
            polls += 1
            await self.strand.count_step()
            answer = await self.send(Outgoing("GET", path))

    async def _attempt(self, request: Outgoing) -> Any:
        run = self.strand.run
        url = f"{run.connectors.address(self.method, self.region)}/{request.path}"
        headers = {
            "User-Agent": USER_AGENT,
            "Authorization": f"Bearer {local_token({'type': 'OAuth2', 'scopes': self.params.scopes}, url)}",
        }
        if request.content_type is not None:
            headers["Content-Type"] = request.content_type
        sent = run.http.send(HttpRequest(request.method, url, headers, request.body))
        seconds = min(limits.HTTP_TIMEOUT_MAXIMUM_SECONDS, self.deadline - run.clock.now())
        return decode_reply(await within(run.clock, seconds, sent, self.method.name))["body"]

    async def _pause(self, seconds: float) -> None:
        """Return after `seconds`. TimeoutError, at the deadline, when that comes first."""
        until = await self.strand.now() + seconds
        await self.strand.sleep_until(min(until, self.deadline))
        if until > self.deadline:
            raise timeout_error(f"{self.method.name} did not end within {self.params.timeout_seconds:g} seconds")
