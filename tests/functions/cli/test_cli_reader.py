"""Ledgers are read from the bucket, each object once."""

from __future__ import annotations

from cli_ledgers import BEGAN, RUN, FakeBucket, reader, until

from droptune.cli.ledger import Entry
from droptune.cli.reader import RunsReader


def test_a_story_is_read_from_the_runs_folder() -> None:
    """Every JSON object at the folder's top is read; what jobs wrote below it is left."""
    entries = until("job-1.json") | {"pipeline/out.json": Entry("pipeline/out.json", BEGAN, b"not ours")}
    bucket = FakeBucket({RUN: entries})
    found = RunsReader(bucket, FakeBucket({})).story(RUN)
    assert found is not None and found.status == "tuning"
    assert f"{RUN}/pipeline/out.json" not in bucket.reads


def test_an_object_is_fetched_once_however_often_the_story_is_asked_for() -> None:
    """Ledger objects are written once, so a watcher lists but does not read again."""
    bucket = FakeBucket({RUN: until("plan.json")})
    runs = RunsReader(bucket, FakeBucket({}))
    for _ in range(3):
        runs.story(RUN)
    assert len(bucket.reads) == len(set(bucket.reads)) == 3


def test_an_unknown_run_has_no_story() -> None:
    """A folder that is not there is None, not an empty story."""
    assert reader({}).story("nobody") is None


def test_a_run_begins_when_the_last_of_its_files_was_dropped() -> None:
    """Its first hop is the upload, by the time of that very generation."""
    found = reader({RUN: until("report.json")}).story(RUN)
    assert found is not None and found.hops[0].name == "dropped" and found.began == BEGAN
