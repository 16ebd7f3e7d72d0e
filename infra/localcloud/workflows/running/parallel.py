"""Branches side by side: how many at once, their errors collected, the order in which they go on journaled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from .. import limits
from ..errors import WorkflowError, parallel_nesting_error, type_error, unhandled_branch_error
from ..values import type_name
from .runtime import Strand
from .scope import Scope

_Result = TypeVar("_Result")
_OPEN = contextlib.nullcontext()
Branch = tuple[str, Callable[[Scope, Strand], Awaitable[Any]]]


async def run_parallel(branches: Sequence[Branch], limit: Any, scope: Scope, strand: Strand) -> None:
    """Run all branches, (id, body) each, to their end, at most `limit` of them at once.

    UnhandledBranchError when any failed; the others are not stopped by that.
    """
    if strand.nesting >= limits.PARALLEL_NESTING:
        raise parallel_nesting_error(limits.PARALLEL_NESTING)
    gate = _gate(limit)
    base = strand.next_path()
    slots = strand.run.slots

    async def run(number: int, branch: Branch) -> dict[str, Any] | None:
        identity, body = branch
        child = strand.branch(f"{base}.{number}")
        async with gate, slots:
            own = scope.child(border=True)
            try:
                await child.resumed()
                await body(own, child)
            except WorkflowError as error:
                child.locate(error)
                return {"id": identity, "error": {"payload": error.payload, "context": error.context()}}
            finally:
                own.close()
        return None

    # A branch that waits for its own branches takes up no place among those that run.
    if strand.nesting:
        slots.release()
    try:
        failures = await _all([run(number, branch) for number, branch in enumerate(branches)])
    finally:
        if strand.nesting:
            await slots.acquire()
    await strand.resumed()
    failed = [failure for failure in failures if failure is not None]
    if failed:
        reported = failed[: limits.REPORTED_BRANCH_ERRORS]
        raise unhandled_branch_error(reported, truncated=len(failed) > len(reported))


async def _all(runs: Sequence[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """The results of all. When one is broken off by anything but a workflow's error, so are the others."""
    if not runs:
        return []
    tasks = [asyncio.create_task(run) for run in runs]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _gate(limit: Any) -> contextlib.AbstractAsyncContextManager[Any]:
    if limit is None:
        return _OPEN
    if type(limit) is not int or limit < 1:
        found = limit if type(limit) is int else type_name(limit)
        raise type_error(f"concurrency_limit must be a positive integer, found {found}")
    return asyncio.Semaphore(limit)
