"""The story of a run is what its ledger says."""

from __future__ import annotations

from typing import Any

import pytest
from cli_ledgers import (
    BEGAN,
    ENDPOINT,
    FAILED,
    JOB_1,
    LOST,
    MODEL,
    REJECTED,
    WAITING,
    ledger,
    story,
    until,
)

from droptune.cli.ledger import Entry, LedgerError
from droptune.cli.story import next_command, tell, without_superseded

SUPERSEDED = WAITING | {"status": "superseded", "missing": []}
LEDGERS = {
    "validating": {"eval.jsonl": Entry("eval.jsonl", BEGAN)},
    "rejected": ledger(report=REJECTED),
    "waiting": ledger(report=WAITING),
    "superseded": ledger(report=SUPERSEDED),
    "validated": until("report.json"),
    "claimed": until("claim.json"),
    "planned": until("plan.json"),
    "tuning": until("job-1.json"),
    "failed": until("job-1.json", failed=FAILED),
    "evaluating": until("tuned.json"),
    "registering": until("evaluation.json"),
    "model-rejected": until("tuned.json", evaluation=LOST),
    "registered": until("registered.json"),
}


@pytest.mark.parametrize("status", LEDGERS)
def test_the_furthest_object_decides_the_status(status: str) -> None:
    """Which objects exist, and the verdicts in two of them, say how far a run is."""
    assert story(LEDGERS[status]).status == status


def test_a_run_that_failed_after_a_model_was_tuned_is_failed() -> None:
    """Endings come before progress, whatever else is in the folder."""
    assert story(until("tuned.json", failed=FAILED)).status == "failed"


@pytest.mark.parametrize("status", LEDGERS)
def test_every_status_names_a_next_command(status: str) -> None:
    """Nobody is left without something to type."""
    assert next_command(story(LEDGERS[status])).startswith("droptune ")


def test_the_timeline_has_every_hop_and_how_long_it_took() -> None:
    """A hop takes from the one before it to its own ledger object; the first takes none."""
    hops = story(until("notified-model-registered.json")).hops
    assert [hop.name for hop in hops] == [
        "dropped",
        "validated",
        "claimed",
        "planned",
        "job submitted",
        "tuned",
        "evaluated",
        "registered",
        "notified",
    ]
    assert hops[0].seconds is None
    assert [round(hop.seconds or 0, 1) for hop in hops[1:]] == [0.4, 0.2, 0.2, 0.1, 64.1, 45.0, 0.5, 0.2]


def test_a_run_is_settled_once_its_notification_is_out() -> None:
    """An ended run may still have its message to send; one that waits or was superseded sends none."""
    assert not story(until("registered.json")).settled
    assert story(until("notified-model-registered.json")).settled
    assert story(ledger(report=WAITING)).settled
    assert story(ledger(report=SUPERSEDED)).settled


@pytest.mark.parametrize("left", [WAITING, SUPERSEDED], ids=["waiting", "superseded"])
def test_a_data_set_that_went_on_is_not_listed_as_waiting(left: dict[str, Any]) -> None:
    """Each file of a folder leaves a run as it arrives or is replaced; only the last is of interest."""
    waits = tell("set-1", ledger(report=left))
    went_on = tell(
        "set-2", {"report.json": Entry("report.json", BEGAN + 999, until("report.json")["report.json"].data)}
    )
    assert without_superseded([waits, went_on]) == [went_on]
    assert without_superseded([waits]) == [waits]


def test_model_and_endpoint_are_those_of_the_evaluation_or_of_the_tuning() -> None:
    """The endpoint that was evaluated is the one to ask; before that, the one that tuning left."""
    assert (story(until("tuned.json")).model, story(until("tuned.json")).endpoint) == (MODEL, ENDPOINT)
    assert story(until("evaluation.json")).endpoint == ENDPOINT
    assert story(until("plan.json")).model is None


def test_of_several_jobs_the_last_counts() -> None:
    """Job numbers are compared as numbers: 10 comes after 9."""
    later = JOB_1 | {"name": "jobs/10"}
    entries = until("job-1.json", job_9=JOB_1, job_10=later)
    found = story(entries).job
    assert found is not None and found.name == "jobs/10"


def test_a_ledger_object_of_an_unknown_shape_is_named() -> None:
    """The message says which object could not be understood, and where."""
    with pytest.raises(LedgerError, match=r"tuned\.json .*model"):
        story(until("job-1.json", tuned={"version": 99}))
