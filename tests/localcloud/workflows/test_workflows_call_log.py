"""Call logging: which lines a level asks for, and what is in them."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from workflows_cloud import PARENT, Cloud, run

from localcloud.clock import ManualClock
from localcloud.workflows.service.store import Store

SOURCE = """
main:
  steps:
    - good: {call: twice, args: {n: 2}, result: r}
    - bad:
        try: {call: http.get, args: {url: nowhere}}
        except: {as: e, steps: [{fine: {assign: [{x: 1}]}}]}
    - nap: {call: sys.sleep, args: {seconds: 5}}
twice:
  params: [n]
  steps:
    - back: {return: "${n * 2}"}
"""


def _lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.fields for record in caplog.records if record.name == "localcloud.workflows.calls"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("of_workflow", "of_execution", "states"),
    [
        (
            "LOG_ALL_CALLS",
            None,
            ["BEGUN", "SUCCEEDED", "BEGUN", "EXCEPTION_RAISED", "EXCEPTION_HANDLED", "BEGUN", "SUCCEEDED"],
        ),
        ("LOG_ERRORS_ONLY", None, ["EXCEPTION_RAISED"]),
        ("LOG_NONE", None, []),
        (None, None, []),
        ("LOG_NONE", "LOG_ERRORS_ONLY", ["EXCEPTION_RAISED"]),
        ("LOG_ALL_CALLS", "LOG_NONE", []),
    ],
)
def test_levels(
    of_workflow: str | None, of_execution: str | None, states: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """All calls, only those that fail, or none; the execution's level beats the workflow's."""
    caplog.set_level(logging.INFO)

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(SOURCE, callLogLevel=of_workflow)
        await cloud.execute(callLogLevel=of_execution)
        await cloud.clock.advance(10)

    run(scenario)
    assert [line["state"] for line in _lines(caplog)] == states


def test_lines_have_the_services_fields(caplog: pytest.LogCaptureFixture) -> None:
    """Lines are EngineCallLog entries: callee, step, arguments, response, exception with origin, times."""
    caplog.set_level(logging.INFO)

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(SOURCE, callLogLevel="LOG_ALL_CALLS")
        path = await cloud.execute()
        await cloud.clock.advance(10)
        lines = _lines(caplog)
        assert all(line["@type"].endswith("google.cloud.workflows.type.EngineCallLog") for line in lines)
        assert all(line["executionId"] == path.rpartition("/")[2] for line in lines)
        assert (lines[0]["callee"], lines[0]["step"], lines[0]["begun"]) == ("twice", "good", {"namedArgs": {"n": 2}})
        assert lines[1]["succeeded"]["response"] == "4"
        assert lines[3]["exceptionRaised"]["origin"] == "bad"
        assert "ValueError" in lines[3]["exceptionRaised"]["exception"]
        assert "ValueError" in lines[4]["exceptionHandled"]["exception"]
        started, ended = lines[6]["succeeded"]["callStartTime"], lines[6]["activityTime"]
        assert (started[-10:], ended[-10:]) == ("40.000000Z", "45.000000Z")

    run(scenario)
    severities = {
        r.fields["state"]: r.levelname for r in caplog.records if hasattr(r, "fields") and "@type" in r.fields
    }
    assert severities["EXCEPTION_RAISED"] == "ERROR"
    assert severities["SUCCEEDED"] == "INFO"


def test_a_restart_logs_nothing_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Calls that ended before a restart are not logged once more; the one that was waiting is, when it ends."""
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        clock = ManualClock()
        for _ in range(2):
            store = Store(tmp_path / "w.sqlite3")
            cloud = Cloud(store, clock)
            if not _lines(caplog):
                await cloud.deploy(SOURCE, callLogLevel="LOG_ALL_CALLS")
                name = PARENT + await cloud.execute()
                await clock.advance(2)
                states = [line["state"] for line in _lines(caplog)]
            else:
                cloud.engine.executions.resume()
                await clock.advance(10)
                assert cloud.engine.executions.get(name).state == "SUCCEEDED"
            await cloud.engine.executions.close()
            store.close()
        assert [line["state"] for line in _lines(caplog)][len(states) :] == ["SUCCEEDED"]

    asyncio.run(scenario())
