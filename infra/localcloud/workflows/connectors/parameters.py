"""`connector_params`: how long a call may take, how its operation is polled, and for which scopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .. import limits
from ..errors import type_error, value_error
from ..stdlib.http import CLOUD_PLATFORM_SCOPE
from ..values import is_number, type_name

_FIELDS: Final = ("polling_policy", "scopes", "skip_polling", "timeout")


@dataclass(frozen=True)
class Backoff:
    """Delays in seconds that grow up to a cap."""

    initial_delay: float
    max_delay: float
    multiplier: float

    def delay(self, number: int) -> float:
        """The delay before attempt `number`, counted from 0."""
        try:
            return min(self.max_delay, self.initial_delay * self.multiplier**number)
        except OverflowError:
            return self.max_delay


POLLING: Final = Backoff(initial_delay=1.0, max_delay=60.0, multiplier=1.25)


@dataclass(frozen=True)
class ConnectorParams:
    """What a call says about itself; the defaults are the documented ones."""

    timeout_seconds: float = limits.CONNECTOR_TIMEOUT_SECONDS
    polling: Backoff = POLLING
    skip_polling: bool = False
    scopes: Any = CLOUD_PLATFORM_SCOPE


def connector_params(value: Mapping[str, Any] | None) -> ConnectorParams:
    """The parameters of a call. TypeError or ValueError for wrong ones."""
    fields = {name: item for name, item in (value or {}).items() if item is not None}
    if unknown := fields.keys() - set(_FIELDS):
        raise value_error(f"connector_params has no field {min(unknown)!r}; it takes {', '.join(_FIELDS)}")
    timeout = _positive("timeout", fields.get("timeout", limits.CONNECTOR_TIMEOUT_SECONDS))
    if timeout > limits.CONNECTOR_TIMEOUT_MAXIMUM_SECONDS:
        maximum = limits.CONNECTOR_TIMEOUT_MAXIMUM_SECONDS
        raise value_error(f"connector_params.timeout must be at most {maximum} seconds, found {timeout:g}")
    skip = fields.get("skip_polling", False)
    if not isinstance(skip, bool):
        raise type_error(f"connector_params.skip_polling must be a boolean, not {type_name(skip)}")
    return ConnectorParams(
        timeout, _polling(fields.get("polling_policy", {})), skip, fields.get("scopes", CLOUD_PLATFORM_SCOPE)
    )


def _polling(policy: Any) -> Backoff:
    if not isinstance(policy, dict):
        raise type_error(f"connector_params.polling_policy must be a map, not {type_name(policy)}")
    known = {"initial_delay": POLLING.initial_delay, "max_delay": POLLING.max_delay, "multiplier": POLLING.multiplier}
    if unknown := policy.keys() - known.keys():
        raise value_error(f"polling_policy has no field {min(unknown)!r}; it takes {', '.join(known)}")
    given = {**known, **policy}
    return Backoff(**{name: _positive(f"polling_policy.{name}", item) for name, item in given.items()})


def _positive(name: str, value: Any) -> float:
    if not is_number(value):
        raise type_error(f"connector_params.{name} must be a number, not {type_name(value)}")
    if not value > 0:
        raise value_error(f"connector_params.{name} must be positive, found {value}")
    return float(value)
