"""`workflows/tune.yaml`, the file that is deployed, on the local engine with driven time."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cloud_double import ENVIRONMENT, LOST, CloudDouble

from droptune import events
from droptune.methods import choose
from droptune.request import Request
from localcloud.clock import ManualClock
from localcloud.workflows.in_process import run_source

SOURCE = (Path(__file__).parents[2] / "workflows" / "tune.yaml").read_text()
RUN = "banking-0a1b2c3d"
FORMATS: dict[str, events.Format] = {"pipelineJobs": "text", "tuningJobs": "gemini_contents"}
PREFIX = {"pipelineJobs": "PIPELINE_STATE", "tuningJobs": "JOB_STATE"}


def ready(api: str, **changes: Any) -> events.DatasetReady:
    choice = choose(FORMATS[api], Request())
    files = {
        role: events.StoredFile(bucket="p-intake", name=f"banking/{role}.jsonl", generation=1, rows=rows, size_bytes=9)
        for role, rows in (("train", 700), ("eval", 150))
    }
    fact = events.DatasetReady(
        run_id=RUN,
        dataset="banking",
        files=files,  # type: ignore[arg-type]
        format=FORMATS[api],
        method=choice.method.name,
        base_model=choice.base_model.name,
        request=Request(),
        train_characters=4000,
        report_uri="gs://p-runs/x/report.json",
    )
    return msgspec.structs.replace(fact, **changes)


def run(cloud: CloudDouble, fact: events.DatasetReady) -> tuple[str, float]:
    """What the execution returned, and how much time it took on its own clock."""
    data = base64.b64encode(events.encode(fact)).decode()
    event = {"data": {"message": {"data": data, "messageId": "1"}}}
    clock = ManualClock()
    start = clock.now()
    result = asyncio.run(run_source(SOURCE, event, clock=clock, env=ENVIRONMENT, http=cloud))
    return result, clock.now() - start


def walk(api: str, *states: str, **options: Any) -> CloudDouble:
    return CloudDouble(states=[f"{PREFIX[api]}_{state}" for state in states], **options)


@pytest.mark.parametrize("api", FORMATS)
def test_a_job_that_succeeds_is_published_with_its_model(api: str) -> None:
    """Claim, job, and outcome are in the ledger; every state is published once; the fact decodes."""
    cloud = walk(api, "QUEUED", "PENDING", "RUNNING", "RUNNING", "RUNNING", "SUCCEEDED")
    result, _ = run(cloud, ready(api))
    assert result == "succeeded, projects/1/locations/us-central1/models/5@1"
    assert len(cloud.created) == 1
    assert set(cloud.objects) == {f"{RUN}/{name}.json" for name in ("claim", "job-1", "tuned")}
    states = [message["state"].rpartition("_")[2] for message in cloud.messages[:-1]]
    assert states == ["QUEUED", "PENDING", "RUNNING", "SUCCEEDED"]
    fact = events.decode(msgspec.json.encode(cloud.messages[-1]))
    assert isinstance(fact, events.TuningSucceeded)
    assert fact.dataset_ready == ready(api)
    assert (fact.endpoint is not None) == (api == "tuningJobs")
    assert fact.job == cloud.created[0]
    assert cloud.unauthorised == []


@pytest.mark.parametrize("api", FORMATS)
def test_a_job_that_fails_is_published_with_the_reason(api: str) -> None:
    """The service's own message reaches the fact."""
    cloud = walk(api, "RUNNING", "FAILED", error={"code": 3, "message": "row 7 is too long"})
    result, _ = run(cloud, ready(api))
    assert result == f"failed, {PREFIX[api]}_FAILED"
    fact = events.decode(msgspec.json.encode(cloud.messages[-1]))
    assert isinstance(fact, events.TuningFailed)
    assert fact.failure.message == "row 7 is too long"
    assert fact.failure.job == cloud.created[0]
    assert f"{RUN}/failed.json" in cloud.objects


@pytest.mark.parametrize("state", ["CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"])
def test_every_other_end_is_a_failure_too(state: str) -> None:
    """Nothing waits for ever on a state that will not change."""
    cloud = walk("tuningJobs", "RUNNING", state)
    assert run(cloud, ready("tuningJobs"))[0] == f"failed, JOB_STATE_{state}"


def test_a_paused_job_is_waited_for() -> None:
    """PAUSED can be resumed, and an unknown state is not the end either."""
    cloud = walk("tuningJobs", "PAUSED", "SOMETHING_NEW", "RUNNING", "SUCCEEDED")
    assert run(cloud, ready("tuningJobs"))[0].startswith("succeeded")


def test_a_second_execution_finds_the_claim_and_stops() -> None:
    """The same fact delivered twice starts one job."""
    cloud = walk("pipelineJobs", "SUCCEEDED")
    run(cloud, ready("pipelineJobs"))
    owner = cloud.objects[f"{RUN}/claim.json"]["execution"]
    published = list(cloud.messages)
    assert run(cloud, ready("pipelineJobs"))[0] == f"duplicate of {owner}"
    assert len(cloud.created) == 1
    assert cloud.messages == published


@pytest.mark.parametrize("api", FORMATS)
def test_a_job_whose_creation_reply_was_lost_is_found_again(api: str) -> None:
    """Looking comes before creating, so that a lost reply does not make a second job."""
    cloud = walk(api, "SUCCEEDED")
    cloud.fail("POST", api, LOST)
    assert run(cloud, ready(api))[0].startswith("succeeded")
    assert len(cloud.created) == 1


@pytest.mark.parametrize(
    ("method", "part"),
    [
        ("POST", "/upload/"),
        ("POST", "/plan/"),
        ("POST", "pipelineJobs"),
        ("GET", "pipelineJobs"),
        ("POST", ":publish"),
        ("GET", "/o/"),
    ],
)
def test_a_busy_service_is_asked_again(method: str, part: str) -> None:
    """503 three times in a row at any call changes nothing but the time it takes."""
    cloud = walk("pipelineJobs", "RUNNING", "SUCCEEDED")
    cloud.fail(method, part, 503, times=3)
    assert run(cloud, ready("pipelineJobs"))[0].startswith("succeeded")
    assert len(cloud.created) == 1


def test_half_an_hour_of_failing_reads_does_not_lose_a_running_job() -> None:
    """The job goes on and bills meanwhile, so the workflow outlives an outage."""
    cloud = walk("tuningJobs", "RUNNING", "SUCCEEDED")
    cloud.fail("GET", "fields=name%2Cstate%2Cerror", 503, times=35)
    result, seconds = run(cloud, ready("tuningJobs"))
    assert result.startswith("succeeded")
    assert seconds > 1500


def test_a_refused_job_is_not_sent_again() -> None:
    """400 is final; the service's message is the reason."""
    cloud = walk("tuningJobs", "RUNNING")
    cloud.fail("POST", "tuningJobs", 400, times=99, error={"code": 400, "message": "dataset has 3 rows"})
    assert run(cloud, ready("tuningJobs"))[0] == "failed, HTTP 400"
    assert cloud.messages[-1]["failure"]["message"] == "dataset has 3 rows"
    assert cloud.faults[0].times == 98


def test_a_run_that_plan_refuses_ends_as_failed() -> None:
    """A defect between two of our own hops does not leave a run hanging."""
    cloud = walk("tuningJobs", "RUNNING")
    assert run(cloud, ready("tuningJobs", method="alchemy"))[0] == "failed, HTTP 400"
    assert "alchemy" in cloud.messages[-1]["failure"]["message"]
    assert cloud.created == []


def test_a_job_past_its_deadline_is_cancelled_and_reported() -> None:
    """No job runs, and bills, without an end."""
    cloud = walk("tuningJobs", "RUNNING")
    result, seconds = run(cloud, ready("tuningJobs"))
    assert result == "failed, DEADLINE_EXCEEDED"
    assert 48 * 3600 <= seconds < 48.2 * 3600
    assert len(cloud.cancelled) == 1


@pytest.mark.parametrize(("readings", "age", "delay"), [(1, 1.0, 1.05), (30, 66.44, 4.32), (60, 353.58, 18.68)])
def test_a_long_job_is_noticed_at_most_a_twentieth_late(readings: int, age: float, delay: float) -> None:
    """A second more than a twentieth of its age: few calls for a long job, little waiting for a short one."""
    ended, noticed = (
        run(walk("tuningJobs", *["RUNNING"] * count, "SUCCEEDED"), ready("tuningJobs"))[1]
        for count in (readings, readings + 1)
    )
    assert ended == pytest.approx(age, abs=0.01)
    assert noticed - ended == pytest.approx(delay, abs=0.01)
    assert noticed - ended == pytest.approx(1 + ended / 20)


def test_a_very_long_job_is_noticed_within_five_minutes() -> None:
    """The delay stops growing there."""
    ended, noticed = (
        run(walk("tuningJobs", *["RUNNING"] * count, "SUCCEEDED"), ready("tuningJobs"))[1] for count in (150, 151)
    )
    assert ended > 4 * 3600
    assert noticed - ended == pytest.approx(300)
