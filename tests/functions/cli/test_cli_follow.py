"""A run is followed until nothing more will happen."""

from __future__ import annotations

from cli_ledgers import JOB, REJECTED, RUN, FakeBucket, ledger, reader, until

from droptune.cli.follow import INTERVAL_SECONDS, NOTIFICATION_SECONDS, follow
from droptune.cli.jobs import Job, Line, Progress
from droptune.cli.ledger import SubmittedJob
from droptune.cli.reader import RunsReader


class FakeJobs:
    """Answers in turn, then the last one for ever; None stands for an endpoint that does not answer."""

    def __init__(self, *answers: Job | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    def look(self, job: SubmittedJob) -> Job | None:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def training(step: int, phase: str = "training") -> Job:
    return Job(
        name=JOB, state="RUNNING", progress=Progress(phase=phase, lines=(Line(phase=phase, step=step, steps=50),))
    )


def test_an_ended_run_gives_one_snapshot() -> None:
    """Nothing is waited for when the story is over and told."""
    slept: list[float] = []
    runs = reader({RUN: until("notified-model-registered.json")})
    assert [s.story.status for s in follow(RUN, runs, FakeJobs(None), slept.append)] == ["registered"]
    assert slept == []


def test_a_run_is_followed_over_its_stages_and_its_job_over_its_steps() -> None:
    """Each poll sees what is new; the job is asked while it runs, and once more for its last step."""
    bucket = FakeBucket({RUN: until("job-1.json")})
    jobs = FakeJobs(training(10), None, training(50))
    polls = iter(["job-1.json", "tuned.json", "evaluation.json", "notified-model-registered.json"])

    def sleep(seconds: float) -> None:
        bucket.runs[RUN] = until(next(polls))

    seen = list(follow(RUN, RunsReader(bucket, FakeBucket({})), jobs, sleep))
    assert [s.story.status for s in seen] == ["tuning", "tuning", "evaluating", "registering", "registered"]
    assert jobs.asked == 3
    steps = [s.job.progress.lines[0].step for s in seen if s.job and s.job.progress]
    assert steps == [10, 10, 50, 50, 50]


def test_fetching_the_base_model_is_remembered_when_the_job_goes_on() -> None:
    """The progress tells the latest lines only; a stage once shown stays shown."""
    bucket = FakeBucket({RUN: until("job-1.json")})
    polls = iter(["job-1.json", "notified-model-registered.json"])

    def sleep(seconds: float) -> None:
        bucket.runs[RUN] = until(next(polls))

    seen = list(
        follow(
            RUN, RunsReader(bucket, FakeBucket({})), FakeJobs(training(9, "fetching_base_model"), training(1)), sleep
        )
    )
    assert [s.fetched.step if s.fetched else None for s in seen] == [9, 9, 9]


def test_a_notification_that_never_comes_is_not_waited_for_for_ever() -> None:
    """The notification hop may be down; the run has ended all the same."""
    slept: list[float] = []
    snapshots = list(follow(RUN, reader({RUN: ledger(report=REJECTED)}), FakeJobs(None), slept.append))
    assert {s.story.status for s in snapshots} == {"rejected"}
    assert sum(slept) <= NOTIFICATION_SECONDS + INTERVAL_SECONDS


def test_an_unknown_run_gives_nothing() -> None:
    """There is nothing to follow."""
    assert list(follow("nobody", reader({}), FakeJobs(None), lambda _: None)) == []
