"""The table of cases as frozen types. FORMAT describes the file that it is read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import Position

FORMAT: Final = """\
NAME.test.yaml, beside NAME.yaml:

  cases:                       a list; each case is a map of
    - name                     what is shown; each name once
      argument                 the execution's argument, or
      pubsub                   the JSON value that a Pub/Sub message carries: the argument is then its CloudEvent, or
      routine, args            the subworkflow to run alone, and its arguments by name
      env                      user environment variables
      now                      when it starts, RFC 3339 (2025-06-15T15:06:40Z)
      mocks                    what answers the calls that leave the workflow, the first that fits; connectors call
                               Google's own addresses. Each must be used, but for those of the defaults.
        - step                 which calls: STEP or ROUTINE.STEP; all that is given must fit
          function             http.get, googleapis. ...
          method, url          * in the url stands for any text
          query, headers       at least these
          body                 decoded by content type
          answer               given every time, or
          answers              given one after the other, each once or `times`; later mocks answer afterwards
                               status (200), headers, body (JSON) or text; delay (seconds);
                               fail: ConnectionError | ConnectionFailedError | TimeoutError instead of a reply, after
                               `delay`; a TimeoutError without `delay` comes when the request's own timeout is over
      callbacks                requests to the workflow's callback endpoints
        - at                   seconds after the start
          endpoint             the step that created it; may be left out when there is one
          method, headers, query, body
      result                   what is returned, or
      error                    tags (at least these), message (a part of it), payload
      calls                    the calls made, all and in order: step, function, method, url, query, headers, body as in
                               mocks; `times` for several in a row
      calls_include            these calls, in this order; others may stand between
      steps                    the steps run, all and in order: STEP or ROUTINE.STEP
      steps_include            these steps, in this order; others may stand between
      elapsed                  simulated seconds, or a map with at_least, at_most
  defaults:                    env, now and mocks for all cases; the case's own come first

Expected values (result, payload, body) are compared whole, but for maps with one of these keys:
  {$any: TYPE}                 any value of a type that get_type gives, or `value` for all
  {$has: VALUE}                a map with at least these keys, a list with these items, a text with this part
  {$regex: PATTERN}            a string that the pattern fits whole
  {$json: VALUE}               a string that holds this JSON
  {$base64: VALUE}             a base64 string that holds this JSON, or this text

YAML is read as in definitions (yes, no and dates are strings). Time is simulated: waiting takes none. The execution has
project test-project, location us-central1, id 00000000-0000-4000-8000-000000000001.
"""

ALWAYS: Final = -1
FAILURES: Final = ("ConnectionError", "ConnectionFailedError", "TimeoutError")


@dataclass(frozen=True)
class Value:
    """An expected or given value; tells a null that was written from nothing written."""

    value: Any


@dataclass(frozen=True)
class CallPattern:
    """Which calls are meant. None, or an empty map, fits all."""

    position: Position
    step: str | None = None
    function: str | None = None
    method: str | None = None
    url: str | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: Value | None = None


@dataclass(frozen=True)
class Answer:
    """A reply, or a failure of the connection, after `delay_seconds`; `times` ALWAYS never runs out."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_seconds: float
    failure: str | None
    times: int


@dataclass(frozen=True)
class Mock:
    """Answers for the calls that fit. `shared`: from the defaults, so that no case needs to use it."""

    pattern: CallPattern
    answers: tuple[Answer, ...]
    shared: bool


@dataclass(frozen=True)
class CallbackRequest:
    """A request to an endpoint, so many seconds after the start."""

    position: Position
    at_seconds: float
    endpoint: str | None
    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class ExpectedError:
    """What the error must be like."""

    tags: tuple[str, ...]
    message: str | None
    payload: Value | None


@dataclass(frozen=True)
class ExpectedCalls:
    """Calls as (pattern, times); `whole`: no others."""

    patterns: tuple[tuple[CallPattern, int], ...]
    whole: bool


@dataclass(frozen=True)
class ExpectedSteps:
    """Steps by name; `whole`: no others."""

    names: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class Elapsed:
    """Bounds of the simulated time, both included."""

    at_least_seconds: float
    at_most_seconds: float


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    position: Position
    routine: str
    arguments: Mapping[str, Any]
    environment: Mapping[str, str]
    start: float
    mocks: tuple[Mock, ...]
    callbacks: tuple[CallbackRequest, ...]
    result: Value | None
    error: ExpectedError | None
    calls: tuple[ExpectedCalls, ...]
    steps: tuple[ExpectedSteps, ...]
    elapsed: Elapsed | None
