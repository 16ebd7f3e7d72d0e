"""From a dropped object to its fact: joining, holding out, rejecting, and doing it again."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec
import pytest
from fakes import MemoryObjects

from droptune.datasets.report import Report
from droptune.errors import NotOurs, ObjectGone, Retryable
from droptune.events import DatasetReady, DatasetRejected, encode
from droptune.ports import StoredObject
from droptune.settings import Settings
from droptune.validate import FINDINGS_IN_FACT, Ports, validate

SETTINGS = Settings(project="p", region="r", intake_bucket="in", runs_bucket="runs", vertex_endpoint="http://x")


def rows(start: int, stop: int) -> bytes:
    labels = ("card_arrival", "lost_card")
    return b"".join(
        json.dumps({"input_text": f"Where is card {n}?", "output_text": labels[n % 2]}).encode() + b"\n"
        for n in range(start, stop)
    )


TRAIN, EVAL = rows(0, 100), rows(100, 140)


@dataclass
class Endpoint:
    """The base models that the endpoint in use serves."""

    served: frozenset[str] = frozenset({"text-bison@002", "text-bison-32k@002"})

    def serves(self, base_model: str) -> bool:
        return base_model in self.served


@dataclass
class World:
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    endpoint: Endpoint = field(default_factory=Endpoint)

    @property
    def ports(self) -> Ports:
        return Ports(self.objects, self.endpoint, SETTINGS)

    def upload(self, name: str, data: bytes, **metadata: str) -> StoredObject:
        return self.objects.upload("in", name, data, metadata)

    def drop(self, name: str, data: bytes, **metadata: str) -> DatasetReady | DatasetRejected | None:
        return validate(self.upload(name, data, **metadata), self.ports)

    def report(self, run_id: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.objects.read("runs", f"{run_id}/report.json") or b"null")
        return report

    def reports(self) -> list[dict[str, Any]]:
        names = [name for name in self.objects.names("runs") if name.endswith("report.json")]
        return [json.loads(self.objects.read("runs", name) or b"null") for name in names]


@pytest.fixture
def world() -> World:
    return World()


def ready(fact: object) -> DatasetReady:
    assert isinstance(fact, DatasetReady)
    return fact


def rejected(fact: object) -> DatasetRejected:
    assert isinstance(fact, DatasetRejected)
    return fact


def test_a_single_file_is_split_and_ready(world: World) -> None:
    """Its fact names both sides as objects of the run, what tunes them, and where the report is."""
    fact = ready(world.drop("banking.jsonl", TRAIN))
    assert (fact.dataset, fact.format, fact.method) == ("banking", "text", "palm_text_sft")
    assert fact.base_model == "text-bison@002"
    assert {role: stored.uri for role, stored in fact.files.items()} == {
        role: f"gs://runs/{fact.run_id}/data/{role}.jsonl" for role in ("train", "eval")
    }
    assert (fact.files["train"].rows, fact.files["eval"].rows) == (90, 10)
    parts = [world.objects.read("runs", f"{fact.run_id}/data/{role}.jsonl") or b"" for role in ("train", "eval")]
    assert sorted(b"".join(parts).splitlines()) == sorted(TRAIN.splitlines())
    values = [json.loads(one) for one in parts[0].splitlines()]
    assert fact.train_characters == sum(len(v["input_text"]) + len(v["output_text"]) for v in values)
    assert fact.report_uri == f"gs://runs/{fact.run_id}/report.json"
    assert world.report(fact.run_id)["status"] == "ready"
    assert world.objects.content_types["runs", f"{fact.run_id}/report.html"].startswith("text/html")


def test_a_folder_is_ready_with_its_own_files(world: World) -> None:
    """Nothing is copied when training and evaluation files are given."""
    assert world.drop("bank/train.jsonl", TRAIN) is None
    fact = ready(world.drop("bank/eval.jsonl", EVAL))
    assert {role: stored.uri for role, stored in fact.files.items()} == {
        "train": "gs://in/bank/train.jsonl",
        "eval": "gs://in/bank/eval.jsonl",
    }
    assert (fact.files["train"].rows, fact.files["eval"].rows) == (100, 40)
    assert not [name for name in world.objects.names("runs") if "/data/" in name]


def test_the_same_event_three_times_is_one_fact() -> None:
    """At-least-once delivery: each time the same fact, and the ledger is written once."""
    world = World()
    event = world.upload("banking.jsonl", TRAIN)
    facts, ledgers = [], []
    for _ in range(3):
        facts.append(encode(ready(validate(event, world.ports))))
        ledgers.append([world.objects.stat("runs", name) for name in world.objects.names("runs")])
    assert facts[0] == facts[1] == facts[2]
    assert ledgers[0] == ledgers[1] == ledgers[2]


def test_a_new_upload_is_a_new_run(world: World) -> None:
    """Even of the same bytes."""
    first, second = (ready(world.drop("banking.jsonl", TRAIN)) for _ in range(2))
    assert first.run_id != second.run_id


@pytest.mark.parametrize("order", [*itertools.permutations(["train.jsonl", "eval.jsonl", "job.yaml"])])
def test_whatever_the_order_and_however_often_a_folder_is_one_run(order: tuple[str, ...], world: World) -> None:
    """Once all is there, every event of the folder, repeated or late, tells of the same run."""
    content = {"train.jsonl": TRAIN, "eval.jsonl": EVAL, "job.yaml": b"epochs: 2\nfiles: [train.jsonl, eval.jsonl]\n"}
    events = [world.upload(f"bank/{name}", content[name]) for name in order]
    facts = {encode(ready(validate(event, world.ports))) for event in [*events, *reversed(events)]}
    assert len(facts) == 1


def test_a_folder_with_job_yaml_waits_for_what_it_lists(world: World) -> None:
    """What is missing is reported, not guessed; nothing is published before all is there."""
    assert world.drop("bank/job.yaml", b"files: [train.jsonl, eval.jsonl]") is None
    assert world.drop("bank/train.jsonl", TRAIN) is None
    waiting = world.reports()
    assert {report["status"] for report in waiting} == {"waiting"}
    assert sorted(report["missing"] for report in waiting) == [["eval.jsonl"], ["train.jsonl", "eval.jsonl"]]
    assert ready(world.drop("bank/eval.jsonl", EVAL)).request.files == ("train.jsonl", "eval.jsonl")


def test_a_folder_that_lists_its_training_file_alone_is_split(world: World) -> None:
    """`files: [train.jsonl]` says that no evaluation file will come."""
    world.upload("bank/job.yaml", b"files: [train.jsonl]\nbase_model: text-bison-32k@002\n")
    fact = ready(world.drop("bank/train.jsonl", TRAIN))
    assert fact.base_model == "text-bison-32k@002"
    assert fact.files["eval"].bucket == "runs"


def test_metadata_asks_for_a_single_object(world: World) -> None:
    """A single object carries its wishes with it."""
    fact = ready(world.drop("banking.jsonl", TRAIN, **{"droptune-train-steps": "50"}))
    assert fact.request.train_steps == 50


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("bank/job.yaml", b"colour: blue", "colour"),
        ("bank/job.yaml", b"files: [corpus.jsonl]", "corpus.jsonl"),
        ("bank/job.yaml", b"x: " + b"y" * 100_000, "100,003 bytes"),
        ("bank/job.yaml", b"region: 2026-99-99", "YAML"),
        ("bank/job.yaml", b"[" * 1_500, "YAML"),
        ("bank/job.yaml", b"\xff\xfe\x00", "YAML"),
    ],
)
def test_a_wrong_request_is_a_rejection(world: World, name: str, data: bytes, says: str) -> None:
    """What cannot be read is said at once, whether or not the data is there yet."""
    fact = rejected(world.drop(name, data))
    assert [finding.code for finding in fact.findings] == ["REQUEST-INVALID"]
    assert says in fact.findings[0].message


def test_a_corrected_request_is_another_run(world: World) -> None:
    """The rejection of a wrong job.yaml does not stand in the way of the next one."""
    world.upload("bank/train.jsonl", TRAIN)
    world.upload("bank/eval.jsonl", EVAL)
    runs = [rejected(world.drop("bank/job.yaml", b"colour: blue")).run_id for _ in range(2)]
    fact = ready(world.drop("bank/job.yaml", b""))
    assert len({*runs, fact.run_id}) == 3
    assert world.report(fact.run_id)["status"] == "ready"


@pytest.mark.parametrize("wish", [{"droptune-adapter-size": "32"}, {"droptune-region": "asia-east1"}])
def test_a_wish_that_the_base_model_does_not_take_is_refused_before_submission(
    world: World, wish: dict[str, str]
) -> None:
    """Adapter sizes and regions are those of the base model."""
    parts = [{"role": role, "parts": [{"text": "x"}]} for role in ("user", "model")]
    data = json.dumps({"contents": parts}).encode() + b"\n"
    fact = rejected(world.drop("bank.jsonl", data * 30, **wish, **{"droptune-base-model": "gemini-3.5-flash"}))
    assert "METHOD-UNAVAILABLE" in {finding.code for finding in fact.findings}


def test_a_bad_file_is_rejected_with_its_findings(world: World) -> None:
    """The fact holds the first findings, errors first, and the report all of them."""
    fact = rejected(world.drop("banking.jsonl", TRAIN + b"oops\n" * 50 + rows(0, 1)))
    assert (fact.errors, len(fact.findings)) == (50, FINDINGS_IN_FACT)
    assert fact.findings[0].code == "JSON-SYNTAX"
    assert (fact.findings[0].line, fact.findings[0].offset) == (101, len(TRAIN))
    report = world.report(fact.run_id)
    assert (report["status"], len(report["findings"])) == ("rejected", 52)
    assert report["counts"]["by_code"] == {"DUPLICATE-ROW": 1, "JSON-SYNTAX": 50, "MODEL-RETIRED-SERVED": 1}


def test_a_retired_model_is_refused_unless_the_endpoint_serves_it(world: World) -> None:
    """The finding names the replacement and how rows convert."""
    world.endpoint = Endpoint(frozenset())
    fact = rejected(world.drop("banking.jsonl", TRAIN))
    assert [finding.code for finding in fact.findings] == ["MODEL-RETIRED"]
    assert "gemini-2.5-flash" in fact.findings[0].message
    assert "`input_text` becomes the user's part" in fact.findings[0].message


def test_a_replaced_single_object_is_superseded(world: World) -> None:
    """The event of an old generation says so, under the run id of that generation."""
    old, new = world.upload("banking.jsonl", TRAIN), world.upload("banking.jsonl", rows(0, 50))
    fact = rejected(validate(old, world.ports))
    assert [finding.code for finding in fact.findings] == ["OBJECT-REPLACED"]
    assert fact.run_id != ready(validate(new, world.ports)).run_id


def test_a_late_repetition_after_a_replacement_says_nothing(world: World) -> None:
    """A run that was found ready is not rejected later, because its object has been replaced since."""
    event = world.upload("banking.jsonl", TRAIN)
    run_id = ready(validate(event, world.ports)).run_id
    world.upload("banking.jsonl", EVAL)
    assert validate(event, world.ports) is None
    assert world.report(run_id)["status"] == "ready"


def test_the_newer_event_speaks_for_a_folder(world: World) -> None:
    """An old event of a folder is left to the newer one; one of a deleted file to nobody."""
    old = world.upload("bank/train.jsonl", TRAIN)
    world.upload("bank/eval.jsonl", EVAL)
    newer = world.upload("bank/train.jsonl", rows(0, 60))
    assert validate(old, world.ports) is None
    assert ready(validate(newer, world.ports)).files["train"].rows == 60
    world.objects.delete("in", "bank/train.jsonl")
    assert validate(newer, world.ports) is None


class Vanishing(MemoryObjects):
    """Objects that are gone by the time they are read."""

    error: Exception = ObjectGone("gs://in/banking.jsonl")

    def stream(self, stored: StoredObject) -> AbstractContextManager[BinaryIO]:
        return self._break()

    @contextmanager
    def _break(self) -> Iterator[BinaryIO]:
        raise self.error
        yield


def test_an_object_that_vanishes_while_it_is_read_is_superseded() -> None:
    """The run ends with its reason."""
    fact = rejected(World(Vanishing()).drop("banking.jsonl", TRAIN))
    assert [finding.code for finding in fact.findings] == ["OBJECT-REPLACED"]


def test_busy_storage_is_for_the_next_delivery() -> None:
    """What may pass is not a verdict: nothing is written, and the event comes again."""
    world = World(Vanishing())
    assert isinstance(world.objects, Vanishing)
    world.objects.error = Retryable("503")
    with pytest.raises(Retryable):
        world.drop("banking.jsonl", TRAIN)
    assert world.objects.names("runs") == []


@pytest.mark.parametrize("name", ["README.md", "bank/", ".hidden"])
def test_companions_are_not_ours(world: World, name: str) -> None:
    """They end without a report."""
    with pytest.raises(NotOurs):
        world.drop(name, b"")
    assert world.objects.names("runs") == []


def test_other_buckets_are_not_ours(world: World) -> None:
    """A trigger set on the wrong bucket does no harm."""
    with pytest.raises(NotOurs):
        validate(world.objects.upload("runs", "banking.jsonl", TRAIN), world.ports)


def test_another_name_is_rejected_with_the_names_that_are_expected(world: World) -> None:
    """The fix says what to call it."""
    fact = rejected(world.drop("data.csv", b"a,b"))
    assert [finding.code for finding in fact.findings] == ["OBJECT-NAME"]
    assert "NAME.jsonl" in fact.findings[0].fix


def test_the_report_is_readable_as_its_type(world: World) -> None:
    """What the ledger holds is the documented form."""
    fact = ready(world.drop("banking.jsonl", TRAIN))
    data = world.objects.read("runs", f"{fact.run_id}/report.json") or b""
    assert msgspec.json.decode(data, type=Report).run_id == fact.run_id


def test_no_row_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Logs tell codes and counts, never what rows say."""
    with caplog.at_level("DEBUG"):
        world.drop("banking.jsonl", TRAIN + b'{"input_text": "secret word", "output_text": 1}\n')
    assert caplog.records
    assert all("secret" not in f"{record.getMessage()} {vars(record)}" for record in caplog.records)


def test_a_cold_start_imports_nothing_heavy() -> None:
    """Validating needs neither a model, nor a Google API client, nor numerics."""
    heavy = "torch google.cloud.aiplatform google.genai transformers scipy sacrebleu numpy google.cloud.storage"
    script = f"import sys, droptune.validate; print([m for m in {heavy.split()!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
