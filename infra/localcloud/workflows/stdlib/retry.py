"""retry.* and the retry part of http.*: predicates, policies, the default backoff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .signature import Function, Param, Pure, table


def _predicate(codes: frozenset[int], tags: frozenset[str]) -> Any:
    def wanted(error: Any) -> bool:
        if not isinstance(error, dict):
            return False
        found = error.get("tags")
        found = found if isinstance(found, list) else []
        if "HttpError" in found:
            return error.get("code") in codes
        return any(tag in tags for tag in found if isinstance(tag, str))

    return wanted


_default = _predicate(
    frozenset({429, 502, 503, 504}), frozenset({"ConnectionError", "ConnectionFailedError", "TimeoutError"})
)
_non_idempotent = _predicate(frozenset({429, 503}), frozenset({"ConnectionFailedError"}))
_ERROR = (Param("e"),)

FUNCTIONS: dict[str, Function] = table(
    Pure("retry.always", _ERROR, lambda error: True),
    Pure("retry.never", _ERROR, lambda error: False),
    Pure("http.default_retry_predicate", _ERROR, _default),
    Pure("http.default_retry_predicate_non_idempotent", _ERROR, _non_idempotent),
)
_BACKOFF = {"initial_delay": 1, "max_delay": 60, "multiplier": 1.25}
CONSTANTS: Mapping[str, Any] = {"retry.default_backoff": _BACKOFF}
POLICIES: Mapping[str, Mapping[str, Any]] = {
    "http.default_retry": {
        "predicate": "http.default_retry_predicate",
        "max_retries": 5,
        "backoff": _BACKOFF,
    },
    "http.default_retry_non_idempotent": {
        "predicate": "http.default_retry_predicate_non_idempotent",
        "max_retries": 5,
        "backoff": _BACKOFF,
    },
}
