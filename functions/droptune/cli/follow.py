"""A run as it goes on: one snapshot after the other until it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .jobs import FETCHING, Job, Jobs, Line
from .reader import RunsReader
from .story import Story

INTERVAL_SECONDS = 1.0  # a look costs time that the tuning on the same machine could use
NOTIFICATION_SECONDS = 10.0  # how long an ended run is watched for its notification


@dataclass(frozen=True)
class Snapshot:
    """The story so far, its job as it was seen last, and the last of fetching the base model, where that was needed."""

    story: Story
    job: Job | None = None
    fetched: Line | None = None


def follow(run_id: str, reader: RunsReader, jobs: Jobs, sleep: Callable[[float], None]) -> Iterator[Snapshot]:
    """Snapshots of a run until nothing more will happen; none when there is no such run."""
    patience = NOTIFICATION_SECONDS
    job: Job | None = None
    fetched: Line | None = None
    tuning = False
    while (story := reader.story(run_id)) is not None:
        if story.job and (tuning or story.status == "tuning"):  # and once more after it, for the last step
            job = jobs.look(story.job) or job
        tuning = story.status == "tuning"
        if job is not None and job.progress is not None:
            fetched = job.progress.last(FETCHING) or fetched
        yield Snapshot(story, job, fetched)
        if story.settled or (story.ended and patience <= 0):
            return
        if story.ended:
            patience -= INTERVAL_SECONDS
        sleep(INTERVAL_SECONDS)
