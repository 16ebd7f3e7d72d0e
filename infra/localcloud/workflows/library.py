"""Every function that a definition may call by name besides its own routines."""

from __future__ import annotations

from .connectors import connector
from .stdlib import FUNCTIONS
from .stdlib.signature import Function


def function_of(name: str) -> Function | None:
    """The function of the standard library, or the connector, of this name; None when there is neither."""
    return FUNCTIONS.get(name) or connector(name)
