"""When a failed block is tried again, and after how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import WorkflowError, type_error, value_error
from ..expressions.operators import boolean
from ..language.syntax import NamedRetry, RetryPolicy
from ..stdlib import FUNCTIONS, RETRY_POLICIES
from ..values import is_number, type_name
from .evaluation import template_value
from .runtime import Strand
from .scope import Scope


@dataclass(frozen=True)
class Schedule:
    """Up to `retries` more attempts; `delay` before each is capped, never a budget."""

    predicate: str | None
    retries: int
    initial_delay_seconds: float
    max_delay_seconds: float
    multiplier: float

    def delay(self, retry: int) -> float:
        """Seconds before retry number `retry`, counted from 1."""
        try:
            grown = self.initial_delay_seconds * self.multiplier ** (retry - 1)
        except OverflowError:
            # No growth makes a delay of nothing longer.
            grown = math.inf if self.initial_delay_seconds else 0.0
        return min(self.max_delay_seconds, grown)


async def schedule(policy: RetryPolicy | NamedRetry, scope: Scope, strand: Strand) -> Schedule:
    """The numbers of a policy. TypeError or ValueError when they are none."""
    if isinstance(policy, NamedRetry):
        fields: Mapping[str, Any] = RETRY_POLICIES[policy.name]
        predicate: str | None = fields["predicate"]
        max_retries, backoff = fields["max_retries"], fields["backoff"]
    else:
        predicate = policy.predicate
        max_retries = await template_value(policy.max_retries, scope, strand)
        backoff = await template_value(policy.backoff, scope, strand)
    if type(max_retries) is not int:
        raise type_error(f"max_retries must be an integer, not {type_name(max_retries)}")
    if type(backoff) is not dict:
        raise type_error(f"backoff must be a map, not {type_name(backoff)}")
    delays = {name: _number(backoff.get(name), name) for name in ("initial_delay", "max_delay", "multiplier")}
    return Schedule(predicate, max_retries, delays["initial_delay"], delays["max_delay"], delays["multiplier"])


async def applies(predicate: str | None, error: WorkflowError, strand: Strand) -> bool:
    """Whether the predicate wants another attempt after `error`; without one every error does."""
    if predicate is None:
        return True
    if predicate in strand.run.program.routines:
        answer = await strand.call(predicate, [error.payload])
    else:
        function = FUNCTIONS[predicate]
        answer = await strand.call_library(function, {function.parameters[0].name: error.payload})
    return boolean(answer, f"the answer of the retry predicate {predicate}")


def _number(value: Any, name: str) -> float:
    if not is_number(value):
        raise type_error(f"backoff.{name} must be a number, not {type_name(value)}")
    if value < 0:
        raise value_error(f"backoff.{name} must not be negative, found {value}")
    return float(value)
