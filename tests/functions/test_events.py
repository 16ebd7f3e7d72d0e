"""Facts as JSON, and the envelopes they arrive in."""

from __future__ import annotations

import base64
import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune import envelopes, events
from droptune.errors import NotOurs
from droptune.request import Request

READY = events.DatasetReady(
    run_id="a-00000000",
    dataset="a",
    files={"train": events.StoredFile(bucket="b", name="a.jsonl", generation=1 << 53, rows=20, size_bytes=9)},
    format="text",
    method="palm_text_sft",
    base_model="text-bison@002",
    request=Request(train_steps=5),
    train_characters=3,
    report_uri="gs://r/a-00000000/report.json",
)
SUCCEEDED = events.TuningSucceeded(
    run_id="a-00000000", dataset="a", dataset_ready=READY, job="j", model="m@1", started=1.0, ended=2.5
)


def envelope(data: bytes) -> dict[str, Any]:
    return {"message": {"data": base64.b64encode(data).decode(), "messageId": "1"}, "subscription": "s"}


@pytest.mark.parametrize("fact", [READY, SUCCEEDED], ids=lambda f: type(f).__name__)
def test_a_fact_survives_publishing(fact: events.Fact) -> None:
    """What is published is read back as the same fact, its type told by its ``type`` field."""
    assert envelopes.published_fact(envelopes.PUBLISHED, envelope(events.encode(fact)), type(fact)) == fact
    assert json.loads(events.encode(fact))["type"] == events.topic_of(fact)


def test_topics_are_named_after_their_facts() -> None:
    """DatasetReady travels on dataset-ready, and so on: one topic a fact."""
    names = [member.__struct_config__.tag for member in get_args(events.Fact)]
    assert len(set(names)) == len(names)
    for member, name in zip(get_args(events.Fact), names, strict=True):
        assert name.replace("-", "") == member.__name__.lower()


OBJECT = {"bucket": "b", "name": "n.jsonl", "generation": "1795256135002638", "size": "7", "metadata": {"a": "b"}}


def test_a_finalized_object_is_read_with_its_generation() -> None:
    """64-bit numbers arrive as strings."""
    stored = envelopes.dropped_object(envelopes.FINALIZED, OBJECT)
    assert (stored.generation, stored.size_bytes, stored.metadata) == (1795256135002638, 7, {"a": "b"})


@pytest.mark.parametrize(
    ("event_type", "data"),
    [
        ("google.cloud.storage.object.v1.deleted", OBJECT),
        (envelopes.FINALIZED, None),
        (envelopes.FINALIZED, "b'{bad'"),
        (envelopes.FINALIZED, {**OBJECT, "generation": "x"}),
        (envelopes.FINALIZED, {"bucket": "b"}),
        (envelopes.FINALIZED, {**OBJECT, "metadata": "x"}),
    ],
)
def test_other_storage_events_are_not_ours(event_type: str, data: Any) -> None:
    """They are acknowledged rather than delivered for ever."""
    with pytest.raises(NotOurs):
        envelopes.dropped_object(event_type, data)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"message": None},
        {"message": {"data": "%%%"}},
        envelope(b""),
        envelope(b"{}"),
        envelope(b'{"type": "gossip"}'),
        envelope(b"\xff"),
        envelope(events.encode(SUCCEEDED)),
    ],
)
def test_other_messages_are_not_ours(data: Any) -> None:
    """A message that holds no fact is acknowledged and said so."""
    with pytest.raises(NotOurs):
        envelopes.published_fact(envelopes.PUBLISHED, data, events.DatasetReady)


@given(st.binary())
def test_any_payload_is_a_fact_or_not_ours(payload: bytes) -> None:
    """Nothing that is published to a topic can crash a subscriber."""
    with pytest.raises(NotOurs):
        envelopes.published_fact(envelopes.PUBLISHED, envelope(payload), events.DatasetReady)
