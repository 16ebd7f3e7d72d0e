"""What every entry point does around its use case: read the event, publish the outcome, treat errors by their kind.

| kind                          | log      | answer                                                    |
| ----------------------------- | -------- | --------------------------------------------------------- |
| the event is not ours         | WARNING  | success: delivering it again would change nothing         |
| the world is busy (Retryable) | WARNING  | failure: delivered again, with backoff                    |
| anything else                 | ERROR    | failure: delivered again, then dead-lettered              |
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from . import log
from .app import app
from .errors import NotOurs, Refused, Retryable
from .events import Fact

Answer = tuple[bytes, int, dict[str, str]]
JSON = {"Content-Type": "application/json"}


class Event(Protocol):
    """A CloudEvent as functions-framework hands it over."""

    data: Any

    def __getitem__(self, name: str) -> Any: ...


def publishes(use_case: Callable[[Event], Fact | None]) -> Callable[[Event], None]:
    """An entry point for events: the fact that `use_case` returns, if any, is published."""

    name = use_case.__name__

    @functools.wraps(use_case)
    def entry_point(event: Event) -> None:
        try:
            fact = use_case(event)
            if fact is not None:
                app().publisher.publish(fact)
                log.info("published", component=name, run_id=fact.run_id, fact=type(fact).__name__)
        except NotOurs as error:
            log.warning("event ignored", component=name, why=str(error), event_id=event["id"])
        except Retryable as error:
            log.warning("to be delivered again", component=name, why=str(error), event_id=event["id"])
            raise
        except Exception:
            log.failure("entry point failed", component=name, event_id=event["id"])
            raise

    return entry_point


def answers(use_case: Callable[[bytes], bytes]) -> Callable[[Any], Answer]:
    """An entry point for HTTP: JSON in, JSON out; 400 with a Google-shaped error for what is refused."""

    name = use_case.__name__

    @functools.wraps(use_case)
    def entry_point(request: Any) -> Answer:
        try:
            return use_case(request.get_data()), 200, JSON
        except (Refused, msgspec.DecodeError) as error:
            log.warning("request refused", component=name, why=str(error))
            body = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": str(error)}}
            return msgspec.json.encode(body), 400, JSON
        except Retryable as error:
            log.warning("to be asked again", component=name, why=str(error))
            body = {"error": {"code": 503, "status": "UNAVAILABLE", "message": str(error)}}
            return msgspec.json.encode(body), 503, JSON
        except Exception:
            log.failure("entry point failed", component=name)
            raise

    return entry_point
