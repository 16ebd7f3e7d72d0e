"""SIGKILL at random moments: nothing that was answered is lost, and every execution ends as without kills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows_kills import run_with_kills

from localcloud.process import free_port

# The benchmark makes it 50: python tests/benchmarks/workflows.py --kills 50
KILLS = 4


def test_nothing_is_lost_when_the_service_is_killed_again_and_again(start_service: Callable[..., Any]) -> None:
    """Sleeps, loops, retries, calls, branches, callbacks, subworkflows and cancellations survive any moment."""
    port = str(free_port())
    report = run_with_kills(lambda: start_service("workflows", "--port", port), KILLS, seed=20, each=1)
    assert report.problems == []
    assert report.kills == KILLS
    assert report.executions > 8
