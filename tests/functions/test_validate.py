"""From a dropped object to its fact: joining, holding out, rejecting, and doing it again."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO

import msgspec
import pytest
from fakes import MemoryObjects
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_world import EVAL, PREFERENCES, PROMPTS, TRAIN, Endpoint, World, ready, rejected, rows

from droptune.datasets.report import Report
from droptune.errors import NotOurs, ObjectGone, Retryable
from droptune.events import DatasetReady, encode
from droptune.ports import StoredObject
from droptune.validate import FINDINGS_IN_FACT, validate


@pytest.fixture
def world() -> World:
    return World()


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


def test_an_evaluation_file_may_have_a_format_of_its_own(world: World) -> None:
    """Then the fact says which, and otherwise only that of the data set."""
    pairs = (f'{{"prompt": "Where is parcel {n}?", "ground_truth": "lost_card"}}\n' for n in range(40))
    world.upload("bank/train.jsonl", TRAIN)
    fact = ready(world.drop("bank/eval.jsonl", "".join(pairs).encode()))
    assert (fact.format, fact.files["train"].format, fact.files["eval"].format) == ("text", None, "ground_truth")


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


def test_what_is_missing_is_a_finding_too(world: World) -> None:
    """The report of a waiting run says which files, as a rule that can be explained."""
    assert world.drop("bank/prompts.jsonl", PROMPTS) is None
    [report] = world.reports()
    assert (report["status"], report["missing"]) == ("waiting", ["preferences.jsonl"])
    assert [(one["code"], one["values"]) for one in report["findings"]] == [
        ("SET-MISSING", {"found": "preferences.jsonl"})
    ]


def test_a_method_without_launcher_is_rejected_by_name_with_all_findings(world: World) -> None:
    """The files are judged all the same, so that the user sees what is wrong with them."""
    assert world.drop("bank/prompts.jsonl", PROMPTS) is None
    fact = rejected(world.drop("bank/preferences.jsonl", PREFERENCES + b"oops\n"))
    assert {"METHOD-UNAVAILABLE", "JSON-SYNTAX"} <= {finding.code for finding in fact.findings}
    assert any("rlhf" in finding.message for finding in fact.findings)


def test_a_mixed_folder_is_rejected_with_the_line_to_add(world: World) -> None:
    """Adding that line, and nothing else, makes it a data set; what is then left out is said."""
    world.drop("bank/train.jsonl", TRAIN)
    world.drop("bank/preferences.jsonl", PREFERENCES)
    fact = rejected(world.drop("bank/eval.jsonl", EVAL))
    assert [finding.code for finding in fact.findings] == ["SET-MIXED"]
    line = "files: [train.jsonl, eval.jsonl]"
    assert line in fact.findings[0].fix
    settled = ready(world.drop("bank/job.yaml", line.encode()))
    assert set(settled.files) == {"train", "eval"}
    unused = [one for one in world.report(settled.run_id)["findings"] if one["code"] == "SET-UNUSED"]
    assert [one["values"]["found"] for one in unused] == ["preferences.jsonl"]


JOBS = (None, b"files: [train.jsonl, eval.jsonl]\n", b"files: [train.jsonl]\n", b"epochs: 2\n")


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_any_interleaving_of_events_means_one_ready_data_set(data: st.DataObject) -> None:
    """However events are ordered, repeated and delayed: none while a piece is missing, then one and the same fact.

    A replaced object is another run, which again is one. `job.yaml` comes first: nothing can know that it will come.
    """
    world = World()
    job = data.draw(st.sampled_from(JOBS))
    content = {"bank/train.jsonl": TRAIN, "bank/eval.jsonl": EVAL}
    if job == JOBS[2]:
        del content["bank/eval.jsonl"]
    events = [] if job is None else [world.upload("bank/job.yaml", job)]
    for name in data.draw(st.permutations(sorted(content))):
        for event in data.draw(st.lists(st.sampled_from(events), max_size=2)) if events else []:
            assert validate(event, world.ports) is None
        events.append(world.upload(name, content[name]))

    def delivered(events: list[StoredObject]) -> set[bytes]:
        again = data.draw(st.lists(st.sampled_from(events), max_size=3))
        facts = [validate(event, world.ports) for event in data.draw(st.permutations(events + again))]
        return {encode(ready(fact)) for fact in facts if fact is not None}

    [first] = delivered(events)
    replaced = data.draw(st.sampled_from(sorted(content)))
    events.append(world.upload(replaced, content[replaced]))
    [second] = delivered(events)
    runs = [msgspec.json.decode(fact, type=DatasetReady) for fact in (first, second)]
    assert runs[0].run_id != runs[1].run_id
    assert runs[0].method == runs[1].method


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_nothing_is_ready_while_a_piece_is_missing(data: st.DataObject) -> None:
    """Of every kind of data set, any part that lacks a file says nothing, however its events come."""
    whole = data.draw(
        st.sampled_from(
            [
                ["train.jsonl", "eval.jsonl"],
                ["prompts.jsonl", "preferences.jsonl"],
                ["corpus.jsonl", "queries.jsonl", "labels.tsv"],
            ]
        )
    )
    part = data.draw(st.lists(st.sampled_from(whole), min_size=1, max_size=len(whole) - 1, unique=True))
    world = World()
    events = [world.upload(f"bank/{name}", TRAIN) for name in part]
    for event in data.draw(st.permutations(events + events)):
        assert validate(event, world.ports) is None
    [report] = world.reports()
    assert set(report["missing"]) == set(whole) - set(part)


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
    ("data", "code", "says"),
    [
        (b"colour: blue", "REQUEST-KEY", "colour"),
        (b"epochs: many", "REQUEST-INVALID", "epochs"),
        (b"- epochs", "REQUEST-NOT-OBJECT", "epochs"),
        (b"files: [corpus.jsonl]", "REQUEST-FILES", "corpus.jsonl"),
        (b"files: [train.jsonl, rows.jsonl]", "REQUEST-FILE", "rows.jsonl"),
        (b"x: " + b"y" * 100_000, "REQUEST-TOO-LARGE", "100,003 bytes"),
        (b"region: 2026-99-99", "REQUEST-YAML", "YAML"),
        (b"[" * 1_500, "REQUEST-YAML", "YAML"),
        (b"\xff\xfe\x00", "REQUEST-YAML", "YAML"),
    ],
)
def test_a_wrong_request_is_a_rejection(world: World, data: bytes, code: str, says: str) -> None:
    """What cannot be read is said at once, whether or not the data is there yet."""
    fact = rejected(world.drop("bank/job.yaml", data))
    assert [(finding.code, finding.file) for finding in fact.findings] == [(code, "bank/job.yaml")]
    assert says in fact.findings[0].message


def test_the_line_of_a_yaml_error_is_told(world: World) -> None:
    """It is where to look in job.yaml."""
    fact = rejected(world.drop("bank/job.yaml", b"epochs: 2\nlabels: {team: a\n"))
    assert fact.findings[0].line == 3


def test_wrong_metadata_is_a_rejection(world: World) -> None:
    """It is told under the name that the user gave it."""
    fact = rejected(world.drop("banking.jsonl", TRAIN, **{"droptune-train-steps": "many"}))
    assert [finding.code for finding in fact.findings] == ["REQUEST-INVALID"]
    assert "`droptune-train-steps`" in fact.findings[0].message


def test_a_corrected_request_is_another_run(world: World) -> None:
    """The rejection of a wrong job.yaml does not stand in the way of the next one."""
    world.upload("bank/train.jsonl", TRAIN)
    world.upload("bank/eval.jsonl", EVAL)
    runs = [rejected(world.drop("bank/job.yaml", b"colour: blue")).run_id for _ in range(2)]
    fact = ready(world.drop("bank/job.yaml", b""))
    assert len({*runs, fact.run_id}) == 3
    assert world.report(fact.run_id)["status"] == "ready"


@pytest.mark.parametrize(
    ("wish", "code"),
    [({"droptune-adapter-size": "32"}, "MODEL-ADAPTER-SIZE"), ({"droptune-region": "asia-east1"}, "MODEL-REGION")],
)
def test_a_wish_that_the_base_model_does_not_take_is_refused_before_submission(
    world: World, wish: dict[str, str], code: str
) -> None:
    """Adapter sizes and regions are those of the base model."""
    parts = [{"role": role, "parts": [{"text": "x"}]} for role in ("user", "model")]
    data = json.dumps({"contents": parts}).encode() + b"\n"
    fact = rejected(world.drop("bank.jsonl", data * 30, **wish, **{"droptune-base-model": "gemini-3.5-flash"}))
    assert code in {finding.code for finding in fact.findings}


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
    assert "droptune convert banking.jsonl --to gemini" in fact.findings[0].fix


def superseded(report: dict[str, Any]) -> bool:
    codes = [(finding["code"], finding["severity"]) for finding in report["findings"]]
    return report["status"] == "superseded" and codes == [("OBJECT-REPLACED", "note")]


def test_a_replaced_single_object_is_superseded(world: World) -> None:
    """The old run ends with its reason and without a fact: the newer event speaks for the data set."""
    old, new = world.upload("banking.jsonl", TRAIN), world.upload("banking.jsonl", rows(0, 50))
    assert validate(old, world.ports) is None
    [report] = world.reports()
    assert superseded(report)
    assert world.objects.read("runs", f"{report['run_id']}/report.html")
    assert ready(validate(new, world.ports)).run_id != report["run_id"]
    assert world.report(report["run_id"]) == report


def test_a_deleted_single_object_is_superseded(world: World) -> None:
    """There is nothing to reject any more."""
    event = world.upload("banking.jsonl", TRAIN)
    world.objects.delete("in", "banking.jsonl")
    assert [validate(event, world.ports) for _ in range(2)] == [None, None]
    assert [superseded(report) for report in world.reports()] == [True]


def test_what_was_judged_first_stands(world: World) -> None:
    """An event that comes again when the endpoint serves more models does not contradict the ledger."""
    world.endpoint = Endpoint(frozenset())
    event = world.upload("banking.jsonl", TRAIN)
    run_id = rejected(validate(event, world.ports)).run_id
    world.endpoint = Endpoint()
    assert validate(event, world.ports) is None
    assert world.report(run_id)["status"] == "rejected"


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


@pytest.mark.parametrize("name", ["banking.jsonl", "bank/eval.jsonl"])
def test_an_object_that_vanishes_while_it_is_read_is_superseded(name: str) -> None:
    """The run ends with its reason and without a fact."""
    world = World(Vanishing())
    world.upload("bank/train.jsonl", TRAIN)
    assert world.drop(name, EVAL) is None
    assert [superseded(report) for report in world.reports()] == [True]


class ReadOnce(MemoryObjects):
    """Objects that are gone once they were opened."""

    def stream(self, stored: StoredObject) -> AbstractContextManager[BinaryIO]:
        if stored.name in self.streamed:
            raise ObjectGone(f"gs://{stored.bucket}/{stored.name}")
        return super().stream(stored)


def test_an_object_that_vanishes_before_its_repeated_rows_are_compared_is_superseded() -> None:
    """Rows that may be repeated are looked up again at the same generation, which may be gone by then."""
    world = World(ReadOnce())
    assert world.drop("banking.jsonl", TRAIN + TRAIN) is None
    assert [superseded(report) for report in world.reports()] == [True]


def test_a_split_is_written_once(world: World) -> None:
    """A repeated event finds both sides there, and does not read the file to make them again."""
    event = world.upload("banking.jsonl", TRAIN)
    ready(validate(event, world.ports))
    reads = len(world.objects.streamed)
    ready(validate(event, world.ports))
    assert len(world.objects.streamed) == 2 * reads - 1


def test_a_split_that_was_interrupted_is_completed() -> None:
    """Where only one side was written, the other follows, and neither is written twice."""
    world = World()
    event = world.upload("banking.jsonl", TRAIN)
    whole = ready(validate(event, world.ports))
    for missing, kept in (("train", "eval"), ("eval", "train")):
        other = World()
        assert other.upload("banking.jsonl", TRAIN) == event
        name = f"{whole.run_id}/data/{{}}.jsonl"
        there = world.objects.read("runs", name.format(kept)) or b""
        before = other.objects.upload("runs", name.format(kept), there)
        fact = ready(validate(event, other.ports))
        assert fact.files[kept].generation == before.generation
        assert (fact.files[missing].rows, fact.train_characters) == (whole.files[missing].rows, whole.train_characters)
        assert other.objects.read("runs", name.format(missing)) == world.objects.read("runs", name.format(missing))


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
    """Validating needs neither a model, nor a Google API client, nor the numerics of an evaluation."""
    heavy = "torch google.cloud.aiplatform google.genai transformers scipy sacrebleu google.cloud.storage"
    script = f"import sys, droptune.validate; print([m for m in {heavy.split()!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
