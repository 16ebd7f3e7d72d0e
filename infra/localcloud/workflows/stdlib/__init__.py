"""The standard library: one module per namespace, and the tables that make them exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import base64, events, hash, helpers, http, json, list, map, math, retry, sys, text, time, uuid
from .signature import Function

FUNCTIONS: Mapping[str, Function] = {
    **helpers.FUNCTIONS,
    **base64.FUNCTIONS,
    **events.FUNCTIONS,
    **hash.FUNCTIONS,
    **http.FUNCTIONS,
    **json.FUNCTIONS,
    **list.FUNCTIONS,
    **map.FUNCTIONS,
    **math.FUNCTIONS,
    **retry.FUNCTIONS,
    **sys.FUNCTIONS,
    **text.FUNCTIONS,
    **time.FUNCTIONS,
    **uuid.FUNCTIONS,
}
CONSTANTS: Mapping[str, Any] = retry.CONSTANTS
RETRY_POLICIES: Mapping[str, Mapping[str, Any]] = retry.POLICIES
# Retry predicates: `predicate: ${name}`.
PREDICATES = frozenset(retry.FUNCTIONS)

__all__ = ["CONSTANTS", "FUNCTIONS", "PREDICATES", "RETRY_POLICIES", "Function"]
