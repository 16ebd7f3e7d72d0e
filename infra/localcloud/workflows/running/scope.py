"""Variables: where a name lives, what it counts against the memory limit, and who may write a shared one now."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from .. import limits
from ..errors import resource_limit_error, tagged
from ..values import size_bytes


class Memory:
    """Bytes held by all variables of one execution."""

    __slots__ = ("_used",)

    def __init__(self) -> None:
        self._used = 0

    def charge(self, size: int) -> None:
        """Take `size` more bytes, or give back when negative. ResourceLimitError beyond the limit, taking nothing."""
        if size > 0 and self._used + size > limits.MEMORY_BYTES:
            message = f"the variables need {self._used + size} bytes; at most {limits.MEMORY_BYTES} are allowed"
            raise resource_limit_error(message)
        self._used += size


class Scope:
    """One level of variables. A `border` is where a parallel branch begins: owners beyond it are shared."""

    __slots__ = ("_border", "_lock", "_memory", "_parent", "_sizes", "_users", "_values")

    def __init__(self, memory: Memory, parent: Scope | None = None, *, border: bool = False) -> None:
        self._memory = memory
        self._parent = parent
        self._border = border
        self._values: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._lock: asyncio.Lock | None = None
        self._users = 0

    def child(self, *, border: bool = False) -> Scope:
        """A scope that sees this one."""
        return Scope(self._memory, self, border=border)

    def owner(self, name: str) -> Scope | None:
        """The innermost scope that has `name`."""
        scope: Scope | None = self
        while scope is not None and name not in scope._values:
            scope = scope._parent
        return scope

    def __contains__(self, name: str) -> bool:
        return self.owner(name) is not None

    def get(self, name: str) -> Any:
        """The value of `name`; KeyError when no assignment to it was executed yet."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope._values:
                return scope._values[name]
            scope = scope._parent
        raise tagged("KeyError", f"variable {name!r} has no value yet")

    def set(self, name: str, value: Any) -> int:
        """Change the variable where it lives, or create it here; the size of the value in bytes."""
        return (self.owner(name) or self).declare(name, value)

    def declare(self, name: str, value: Any) -> int:
        """Create or change the variable in this very scope; the size of the value in bytes."""
        size = size_bytes(value)
        self._memory.charge(size - self._sizes.get(name, 0))
        self._sizes[name] = size
        self._values[name] = value
        return size

    def resize(self, name: str, change: int) -> None:
        """Count that a part of `name` is about to grow by `change` bytes."""
        owner = self.owner(name)
        assert owner is not None
        owner._memory.charge(change)
        owner._sizes[name] += change

    def close(self) -> None:
        """Give back the memory of this scope's variables."""
        self._memory.charge(-sum(self._sizes.values()))
        self._sizes.clear()
        self._values.clear()

    def shared_owner(self, name: str) -> Scope | None:
        """The scope of `name` when it lies beyond the border of the current parallel branch."""
        scope: Scope | None = self
        crossed = False
        while scope is not None:
            if name in scope._values:
                return scope if crossed else None
            crossed = crossed or scope._border
            scope = scope._parent
        return None

    @contextlib.asynccontextmanager
    async def exclusive(self, resumed: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Only one assignment at a time to this scope's variables; `resumed` is awaited after having had to wait."""
        waited = self._users > 0
        self._users += 1
        if self._lock is None:
            self._lock = asyncio.Lock()
        try:
            async with self._lock:
                if waited:
                    await resumed()
                yield
        finally:
            self._users -= 1
