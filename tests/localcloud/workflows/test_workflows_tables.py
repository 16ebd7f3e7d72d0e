"""What every member of the interpreter's tables owes, and what is logged."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import get_args

import pytest

from localcloud.workflows import run_source
from localcloud.workflows.expressions.evaluator import COMPUTERS
from localcloud.workflows.expressions.tree import Call, Node
from localcloud.workflows.language.syntax import Action
from localcloud.workflows.running.steps import STEPS
from localcloud.workflows.stdlib import FUNCTIONS

CASES = "".join(p.read_text() for p in (Path(__file__).parents[2] / "cases" / "workflows").glob("*.yaml"))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_library_function_has_a_case(name: str) -> None:
    """A function of the library is used by at least one case of the corpus."""
    assert name in CASES


def test_every_kind_of_step_has_an_evaluator() -> None:
    """The table of evaluators covers the union of actions, and nothing else."""
    assert set(STEPS) == set(get_args(Action))


def test_every_kind_of_node_has_an_evaluator() -> None:
    """The table of evaluators covers the union of expression nodes but calls, which are awaited, and nothing else."""
    assert {*COMPUTERS, Call} == set(get_args(Node))


def test_sys_log_writes_fields(caplog: pytest.LogCaptureFixture) -> None:
    """A map's keys become fields beside severity, workflow, execution and step; `message` is the line's text."""
    with caplog.at_level(logging.DEBUG):
        asyncio.run(
            run_source("- say: {call: sys.log, args: {json: {message: hi, run: a-1, severity: x}, severity: NOTICE}}")
        )
    (record,) = [r for r in caplog.records if r.name == "localcloud.workflows.sys_log"]
    fields = record.__dict__["fields"]
    assert record.getMessage() == "hi"
    assert (fields["run"], fields["severity"], fields["workflow"], fields["step"]) == (
        "a-1",
        "NOTICE",
        "workflow",
        "say",
    )
    assert fields["execution"]


def test_failures_are_logged_with_the_execution(caplog: pytest.LogCaptureFixture) -> None:
    """Start and failure of an execution name it; the failure has the context."""
    with caplog.at_level(logging.INFO), pytest.raises(Exception, match="broken"):
        asyncio.run(run_source("- a: {raise: broken}"))
    started, failed = [r for r in caplog.records if r.name == "localcloud.workflows"]
    assert started.__dict__["fields"]["execution"] == failed.__dict__["fields"]["execution"]
    assert failed.levelno == logging.ERROR
    assert "RuntimeError: broken" in failed.__dict__["fields"]["context"]
