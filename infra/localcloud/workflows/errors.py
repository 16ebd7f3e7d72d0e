"""What can go wrong, in two trees.

SourceError      the definition is refused at deployment: every problem with step, line and column
WorkflowError    an execution's error, which `except` can catch: any value that `raise` was given, or a map with
                 `message` and `tags`; one constructor per tag below
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Position:
    """A place in the source, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Problem:
    """One reason to refuse a definition."""

    message: str
    position: Position
    step: str | None = None

    def __str__(self) -> str:
        place = f"(line {self.position.line}, column {self.position.column})"
        return f"error in step {self.step}: {self.message} {place}" if self.step else f"{self.message} {place}"


class SourceError(Exception):
    """A definition that cannot be deployed; `problems` has at least one entry, in the order of the source."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.position.line, p.position.column)))
        super().__init__("failed to build: " + "; ".join(map(str, self.problems)))


@dataclass(frozen=True)
class TraceElement:
    """One frame of a failed execution's stack trace."""

    step: str
    routine: str
    position: Position


class WorkflowError(Exception):
    """An error inside an execution. `payload` is what `except ... as e` sees; `trace` is innermost first."""

    def __init__(self, payload: Any) -> None:
        super().__init__(payload)
        self.payload = payload
        self.trace: tuple[TraceElement, ...] | None = None

    def __str__(self) -> str:
        return self.context()

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of a tagged error; empty for a raised string and for maps without tags."""
        tags = self.payload.get("tags") if isinstance(self.payload, Mapping) else None
        return tuple(tags) if isinstance(tags, list) else ()

    def headline(self) -> str:
        """The first line of the execution's `error.context`."""
        if isinstance(self.payload, str):
            return f"RuntimeError: {self.payload}"
        if isinstance(self.payload, Mapping) and isinstance(self.payload.get("message"), str):
            return str(self.payload["message"])
        return f"RuntimeError: {json.dumps(self.payload, default=repr, ensure_ascii=False)}"

    def context(self) -> str:
        """The headline, then one line per frame, innermost first."""
        frames = (f'in step "{t.step}", routine "{t.routine}", line: {t.position.line}' for t in self.trace or ())
        return "\n".join((self.headline(), *frames))


_BRANCHES_MESSAGE = "UnhandledBranchError: One or more branches or iterations encountered an unhandled runtime error"
# Parent tags come after the documented one; workflows are told to test with `in`.
_PARENTS: Mapping[str, tuple[str, ...]] = {
    "IndexError": ("LookupError",),
    "KeyError": ("LookupError",),
    "ZeroDivisionError": ("ArithmeticError",),
    "TimeoutError": ("OSError",),
}


def tagged(tag: str, message: str, **fields: Any) -> WorkflowError:
    """A system error: a map with `message`, `tags` and more."""
    return WorkflowError({"message": f"{tag}: {message}", "tags": [tag, *_PARENTS.get(tag, ())], **fields})


def type_error(message: str) -> WorkflowError:
    """A value of the wrong type."""
    return tagged("TypeError", message)


def value_error(message: str) -> WorkflowError:
    """A value of the right type that is not allowed."""
    return tagged("ValueError", message)


def key_error(key: str) -> WorkflowError:
    """A map lacks `key`."""
    return tagged("KeyError", f"key not found: {key}")


def index_error(index: int, length: int) -> WorkflowError:
    """A list position out of range."""
    return tagged("IndexError", f"index {index} is out of range for a list of {length}")


def zero_division_error() -> WorkflowError:
    """A division by zero."""
    return tagged("ZeroDivisionError", "division by zero")


def recursion_error(message: str) -> WorkflowError:
    """The call stack is too deep."""
    return tagged("RecursionError", message)


def resource_limit_error(message: str) -> WorkflowError:
    """Memory, steps or the size of an answer is used up."""
    return tagged("ResourceLimitError", message)


def timeout_error(message: str) -> WorkflowError:
    """A request or a callback did not come in time."""
    return tagged("TimeoutError", message)


def response_type_error(message: str, response: Any) -> WorkflowError:
    """What a connector waits for answered with something else than its API documents."""
    return tagged("ResponseTypeError", message, response=response)


def operation_error(message: str, operation: Mapping[str, Any], error: Any) -> WorkflowError:
    """A long-running operation, or a job, ended in failure."""
    payload = {"message": message, "tags": ["OperationError"], "operation": dict(operation), "error": error}
    return WorkflowError(payload)


def auth_error(message: str) -> WorkflowError:
    """Credentials for a request could not be made."""
    return tagged("AuthError", message)


def connection_failed_error(message: str) -> WorkflowError:
    """No connection could be made: name not found, refused."""
    return tagged("ConnectionFailedError", message)


def connection_error(message: str) -> WorkflowError:
    """A connection broke before the whole answer was there."""
    return tagged("ConnectionError", message)


def parallel_nesting_error(limit: int) -> WorkflowError:
    """Parallel steps nested too deep."""
    return tagged("ParallelNestingError", f"parallel steps may be nested {limit} levels deep")


def http_error(code: int, headers: Mapping[str, str], body: Any) -> WorkflowError:
    """An answer with a status of 400 or more."""
    return WorkflowError(
        {
            "message": f"HTTP server responded with error code {code}",
            "tags": ["HttpError"],
            "code": code,
            "headers": dict(headers),
            "body": body,
        }
    )


def unhandled_branch_error(branches: Sequence[Mapping[str, Any]], *, truncated: bool) -> WorkflowError:
    """At least one branch of a parallel step failed; all have ended."""
    return WorkflowError(
        {
            "message": _BRANCHES_MESSAGE,
            "tags": ["UnhandledBranchError", "RuntimeError"],
            "branches": list(branches),
            "truncated": truncated,
        }
    )
