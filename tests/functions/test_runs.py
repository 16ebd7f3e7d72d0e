"""A run's identity and its ledger."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.ports import StoredObject
from droptune.request import Request
from droptune.runs import dataset_name, run_id, trace_id


def stored(name: str = "train.jsonl", generation: int = 1, bucket: str = "intake") -> StoredObject:
    return StoredObject(bucket=bucket, name=name, generation=generation, size_bytes=1)


def test_same_objects_and_request_are_the_same_run_in_whatever_order() -> None:
    """The order in which events arrive does not matter to a run's identity."""
    one, two = stored("a/train.jsonl"), stored("a/eval.jsonl")
    assert run_id("a", [one, two], Request()) == run_id("a", [two, one], Request())


@pytest.mark.parametrize(
    ("objects", "request_"),
    [
        ([stored(generation=2)], Request()),
        ([stored(name="other.jsonl")], Request()),
        ([stored(bucket="elsewhere")], Request()),
        ([stored()], Request(epochs=2)),
        ([stored()], Request(rerun="again")),
        ([stored(), stored("eval.jsonl")], Request()),
    ],
)
def test_anything_else_is_another_run(objects: list[StoredObject], request_: Request) -> None:
    """A new upload, another object or another wish makes another run."""
    assert run_id("a", objects, request_) != run_id("a", [stored()], Request())


@given(st.text())
def test_a_run_id_is_fit_for_labels_and_pipeline_job_ids(name: str) -> None:
    """Whatever the data set is called, Vertex AI takes the run id as a label and, with a stage, as a job id."""
    identity = run_id(name, [stored()], Request())
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,52}-[0-9a-f]{8}", identity)
    assert len(f"{identity}-12") <= 63


@pytest.mark.parametrize(
    ("object_name", "expected"),
    [
        ("banking.jsonl", "banking"),
        ("banking/train.jsonl", "banking"),
        ("a/b/c.jsonl", "a"),
        ("notes.txt", "notes.txt"),
    ],
)
def test_a_data_set_is_named_after_its_folder_or_its_file(object_name: str, expected: str) -> None:
    """The folder names the data set; a file at the root names it without its ending."""
    assert dataset_name(object_name) == expected


def test_every_hop_knows_the_trace() -> None:
    """A run's trace is derived from its id, in the form that Cloud Trace takes."""
    assert re.fullmatch(r"[0-9a-f]{32}", trace_id("banking-1234abcd"))
