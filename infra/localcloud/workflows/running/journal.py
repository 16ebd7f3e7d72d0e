"""What makes executions durable: the outcome of every effect, in the order in which they came back.

An interrupted execution is run again from its start. An effect whose outcome is in the journal is not performed
but answered from there, at once; the first one that is not goes on live. Two rules make the second run take the
very same way as the first:

- an effect is found by its path: a counter per branch, so that branches may overtake each other;
- recorded outcomes are handed out in recorded order, and code between two effects runs in one go. So branches
  that write the same variable write it in the same order again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from ..errors import WorkflowError
from ..values import from_journal, to_journal

Commit = Callable[[], None]


class Append(Protocol):
    """Writes one record durably, together with what `and_then` writes."""

    def __call__(self, number: int, path: str, outcome: str, and_then: Commit | None) -> None: ...


class Journal:
    """The journal of one execution. `records` are (path, outcome) pairs of an earlier run, in order."""

    __slots__ = ("_append", "_delivered", "_live", "_recorded", "_total", "_waiting")

    def __init__(self, append: Append, records: Sequence[tuple[str, str]] = ()) -> None:
        self._append = append
        self._recorded = {path: (number, outcome) for number, (path, outcome) in enumerate(records)}
        self._total = len(records)
        self._delivered = 0
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._live: list[asyncio.Future[None]] = []

    @property
    def replaying(self) -> bool:
        """Whether recorded outcomes are still being handed out, so that what happens has happened before."""
        return self._delivered < self._total

    async def effect(self, path: str, action: Callable[[], Awaitable[Any]], and_then: Commit | None = None) -> Any:
        """The outcome of `action`, a value or a WorkflowError, performed at most once per record.

        It is recorded before it is returned, in one transaction with `and_then`. An effect that is interrupted
        before that is performed again.
        """
        known = self._recorded.pop(path, None)
        if known is not None:
            await self._deliver(known[0])
            outcome = from_journal(known[1])
        else:
            try:
                outcome = {"value": await action()}
            except WorkflowError as error:
                outcome = {"error": error.payload}
            if self._delivered < self._total:
                await self._caught_up()
            self._append(self._total, path, to_journal(outcome), and_then)
            self._total += 1
            self._delivered += 1
        if "error" in outcome:
            raise WorkflowError(outcome["error"])
        return outcome["value"]

    async def _deliver(self, number: int) -> None:
        if number != self._delivered:
            turn = self._waiting[number] = asyncio.get_running_loop().create_future()
            await turn
        self._delivered += 1
        following = self._waiting.pop(self._delivered, None)
        if following is not None and not following.done():
            following.set_result(None)
        if self._delivered == self._total:
            for future in self._live:
                if not future.done():
                    future.set_result(None)
            self._live.clear()

    async def _caught_up(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._live.append(future)
        await future
