"""How the answer of a method that starts something tells whether that has ended: operations of all kinds.

What the service does with a finished operation is documented in part only; all assumptions about it are here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

from ..errors import WorkflowError, operation_error, response_type_error

Answer = Mapping[str, Any]
_Read = TypeVar("_Read")
# Public samples read the metadata of a finished build, so that the whole operation must be the result there; for all
# others the reference assumes the operation's response.
_WHOLE_OPERATION: Final = ("cloudbuild",)


@dataclass(frozen=True)
class Progress:
    """Whether it has ended, and then its result or the error that the connector raises."""

    done: bool
    result: Any = None
    failure: WorkflowError | None = None


@dataclass(frozen=True)
class Awaited:
    """`path` says where to look again, from the first answer and the version's path; `progress` reads an answer.

    Both may raise a host AttributeError, KeyError, TypeError or ValueError for an answer that is not what it should be.
    """

    path: Callable[[Answer, str], str]
    progress: Callable[[Answer], Progress]


def operation_with(fields: frozenset[str], service: str) -> Awaited | None:
    """How to wait for an answer that has these fields; None when it is no operation."""
    if {"name", "done", "response"} <= fields:
        return _WHOLE if service in _WHOLE_OPERATION else _LONG_RUNNING
    if {"name", "status", "selfLink", "operationType"} <= fields:
        return _STATUS
    return None


def by_name(answer: Answer, version: str) -> str:
    """The path of a resource that has a `name`, or a `selfLink` where its name does not tell."""
    if isinstance(link := answer.get("selfLink"), str):
        return path_of_link(link)
    return version + path_text(answer["name"])


def path_of_link(link: str) -> str:
    """A resource's own URL relative to its service's address."""
    path = urlsplit(link).path.lstrip("/")
    if not path:
        raise ValueError(f"selfLink is {link!r}")
    return path


def path_text(value: Any) -> str:
    """A part of a path that an answer gave. The host's TypeError when it is no string."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"a name must be a string, found {value!r}")
    return quote(value, safe="/:@!$&'()*+,;=~")


def checked(read: Callable[[Answer], _Read], name: str, answer: Any) -> _Read:
    """What `read` makes of an answer. ResponseTypeError when it is not what the API documents."""
    if not isinstance(answer, Mapping):
        raise response_type_error(f"{name}: expected a map that can be waited for", answer)
    try:
        return read(answer)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise response_type_error(f"{name}: the answer cannot be waited for: {error!r}", answer) from error


def _long_running(answer: Answer) -> Progress:
    """google.longrunning.Operation: `done`, then `error` or `response`."""
    if not answer.get("done", False):
        return Progress(done=False)
    if (error := answer.get("error")) is not None:
        return Progress(done=True, failure=operation_error(_message(error), answer, error))
    return Progress(done=True, result=answer.get("response"))


def _whole(answer: Answer) -> Progress:
    progress = _long_running(answer)
    return Progress(progress.done, answer, progress.failure)


def _status(answer: Answer) -> Progress:
    """The operations of Compute Engine, Cloud SQL, GKE and their like: `status` DONE, then `error` or nothing."""
    if answer["status"] != "DONE":
        return Progress(done=False)
    if (error := answer.get("error")) is not None:
        return Progress(done=True, failure=operation_error(_message(error), answer, error))
    return Progress(done=True, result=answer)


def _message(error: Any) -> str:
    """The text of an error: of google.rpc.Status, or of the first of Compute Engine's `errors`."""
    if isinstance(error, Mapping):
        if isinstance(message := error.get("message"), str):
            return message
        if isinstance(errors := error.get("errors"), list) and errors:
            return _message(errors[0])
    return "the operation failed"


_LONG_RUNNING = Awaited(by_name, _long_running)
_WHOLE = Awaited(by_name, _whole)
_STATUS = Awaited(by_name, _status)
