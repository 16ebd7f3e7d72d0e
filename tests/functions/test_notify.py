"""Messages: readable, complete, and each sent once on each channel."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import MemoryObjects
from fakes_vertex import MemoryAnnouncer, MemoryPublisher
from msgspec import structs
from run_facts import MODEL, RUN, SETTINGS, dataset_ready, model_approved, model_rejected, tuning_succeeded

from droptune.errors import NotOurs, Retryable
from droptune.events import (
    DatasetRejected,
    Failure,
    Finding,
    ModelRegistered,
    Notification,
    TuningFailed,
    TuningProgressed,
)
from droptune.notify import NotifyPorts, Outcome, message, notify

HOOKS = ("https://a.example/hook/secret", "https://b.example/hook")

REJECTED = DatasetRejected(
    run_id=RUN,
    dataset="banking",
    errors=5,
    warnings=1,
    findings=(
        Finding(code="TEXT-NOTE", severity="warning", message="Odd.", fix="Look."),
        Finding(
            code="TEXT-EMPTY-OUTPUT",
            severity="error",
            message="output_text is empty.",
            fix="Write the answer.",
            file="banking.jsonl",
            line=17,
            excerpt="secret row",
        ),
    ),
    report_uri=f"gs://p-runs/{RUN}/report.html",
)
PROGRESSED = TuningProgressed(
    run_id=RUN,
    dataset="banking",
    method="palm_text_sft",
    job="projects/p/locations/us-central1/pipelineJobs/banking-1",
    state="PIPELINE_STATE_RUNNING",
)
FAILED = TuningFailed(
    run_id=RUN,
    dataset="banking",
    dataset_ready=dataset_ready(fmt="gemini_contents"),
    failure=Failure(code="RESOURCE_EXHAUSTED", message="no quota", job="projects/p/locations/r/tuningJobs/5"),
)
REGISTERED = ModelRegistered(
    run_id=RUN,
    dataset="banking",
    model_approved=model_approved(),
    aliases=("challenger", "champion"),
    replaced="projects/p/locations/us-central1/models/9@1",
)


def ports(announcer: MemoryAnnouncer | None = None) -> tuple[NotifyPorts, MemoryPublisher, MemoryAnnouncer]:
    publisher, announcer = MemoryPublisher(), announcer or MemoryAnnouncer()
    settings = replace(SETTINGS, webhooks=HOOKS)
    return NotifyPorts(MemoryObjects(), publisher, announcer, settings), publisher, announcer


def test_a_rejected_data_set() -> None:
    """The errors with what to do, the rest counted, and the command that checks the corrected file."""
    assert message(REJECTED, SETTINGS) == Notification(
        run_id=RUN,
        what="data set banking",
        verdict="rejected: 5 errors, 1 warning",
        why="banking.jsonl:17: TEXT-EMPTY-OUTPUT: output_text is empty. Write the answer.\n"
        f"and 4 more in gs://p-runs/{RUN}/report.html",
        cost_and_time="nothing was started, nothing is charged",
        next_command="droptune check banking.jsonl",
    )


def test_a_job_that_moves_on() -> None:
    """The state in words, the job, and the command that follows it."""
    notification = message(PROGRESSED, SETTINGS)
    assert notification.verdict == "tuning is running"
    assert notification.next_command == f"droptune watch {RUN}"


def test_tuning_that_failed() -> None:
    """Code and message of the failure, the job, and what it could have cost at most."""
    notification = message(FAILED, SETTINGS)
    assert notification.verdict == "failed: there is no model"
    assert notification.why == "RESOURCE_EXHAUSTED: no quota (projects/p/locations/r/tuningJobs/5)"
    assert "0.30 USD (60,000 training tokens, prices of 2026-09-30)" in notification.cost_and_time
    assert notification.next_command == f"droptune show {RUN}"


def test_a_method_that_is_no_longer_known() -> None:
    """A run of another version is told of all the same."""
    fact = structs.replace(FAILED, dataset_ready=structs.replace(FAILED.dataset_ready, method="gone"))
    assert "an unknown price" in message(fact, SETTINGS).cost_and_time


def test_a_model_that_was_not_better() -> None:
    """Both values with their intervals, and where the details are."""
    notification = message(model_rejected(), SETTINGS)
    assert notification.why == (
        "not better: 0.61 against 0.60 (exact_match, 95 % intervals: tuned 0.92 [0.87, 0.95], "
        f"base label-scored 0.58 [0.50, 0.66]); details in gs://p-runs/{RUN}/evaluation.json"
    )
    assert notification.cost_and_time == "300 steps of accelerator time by forecast, 1 min 15 s"


def test_a_registered_model() -> None:
    """Model, endpoint, data set with generation and rows, aliases, whom it replaced, and how to ask it."""
    notification = message(REGISTERED, SETTINGS)
    assert notification.what == (
        f"{MODEL} at projects/p/locations/us-central1/endpoints/12, text-bison@002 tuned by palm_text_sft on "
        "gs://p-intake/banking/train.jsonl (generation 7, 700 rows)"
    )
    assert notification.verdict == (
        "registered as challenger and champion, in place of projects/p/locations/us-central1/models/9@1"
    )
    assert notification.next_command == f'droptune ask {RUN} "text"'


@pytest.mark.parametrize(
    "fact", [REJECTED, PROGRESSED, FAILED, model_rejected(), REGISTERED], ids=lambda f: type(f).__name__
)
def test_every_outcome_is_told_once_on_every_channel(fact: Outcome) -> None:
    """Topic and webhooks get the same message; a repeat sends nothing; no row of the data set is in it."""
    given, publisher, announcer = ports()
    notification = notify(fact, given)
    assert notify(fact, given) == notification
    assert publisher.notifications == [notification]
    assert announcer.posted == [(url, notification) for url in HOOKS]
    assert all(getattr(notification, name) for name in Notification.__struct_fields__)
    assert "secret" not in str(notification)
    assert not any("secret" in stored.name for stored in given.objects.list("p-runs", ""))


def test_a_dead_webhook_repeats_nothing_elsewhere() -> None:
    """The others are told all the same; later deliveries try the dead one alone."""
    given, publisher, announcer = ports(MemoryAnnouncer(dead={HOOKS[0]}))
    for _ in range(3):
        with pytest.raises(Retryable):
            notify(REGISTERED, given)
    assert len(publisher.notifications) == 1
    assert [url for url, _ in announcer.posted] == [HOOKS[1]]
    announcer.dead.clear()
    notify(REGISTERED, given)
    assert [url for url, _ in announcer.posted] == [HOOKS[1], HOOKS[0]]


def test_each_state_of_each_job_is_news() -> None:
    """The same run tells of every state once."""
    given, publisher, _ = ports()
    queued = TuningProgressed(run_id=RUN, dataset="banking", method="m", job="projects/p/x/1", state="JOB_STATE_QUEUED")
    for fact in (queued, PROGRESSED, queued, PROGRESSED):
        notify(fact, given)
    assert [n.verdict for n in publisher.notifications] == ["tuning is queued", "tuning is running"]


def test_other_facts_are_no_news() -> None:
    """A fact that another hop takes further is refused, once and for all."""
    given, publisher, _ = ports()
    with pytest.raises(NotOurs, match="tuning-succeeded"):
        notify(tuning_succeeded(), given)
    assert publisher.notifications == []
