"""What a drop uploads, in which order, and how its run is found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_ledgers import REJECTED, REPORT, RUN, WAITING, FakeBucket, ledger

from droptune.cli.dropping import GIVE_UP_SECONDS, Dropped, find_run, perform, prepare
from droptune.cli.group import CliError, InputError
from droptune.cli.ledger import Entry
from droptune.cli.reader import RunsReader

NONE: frozenset[str] = frozenset()


class FakeIntake:
    """Records what is done to it; generations are those of the reports in `cli_ledgers`."""

    name = "droptune-local-intake"
    generations: Mapping[str, int] = {file["name"]: file["generation"] for file in REPORT["files"]}

    def __init__(self) -> None:
        self.done: list[str] = []

    def upload(self, path: Path, name: str, metadata: Mapping[str, str]) -> int:
        self.done.append(f"upload {name}")
        return self.generations.get(name, 1)

    def delete(self, name: str) -> None:
        self.done.append(f"delete {name}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "banking10"
    path.mkdir()
    for name in ("train.jsonl", "LICENCE.md", "eval.jsonl"):
        (path / name).write_text("")
    (path / "job.yaml").write_text("train_steps: 50")
    return path


@pytest.fixture
def dropped(folder: Path) -> Dropped:
    return perform(prepare(folder), FakeIntake(), lambda _: None)


def find(dropped: Dropped, runs: dict[str, dict[str, Entry]], before: frozenset[str] = NONE) -> str:
    return find_run(dropped, before, RunsReader(FakeBucket(runs), FakeBucket({})), lambda _: None)


def test_a_folder_is_uploaded_so_that_nothing_starts_too_early(folder: Path) -> None:
    """The training rows of an earlier drop go first; then wishes, held-out rows, and training rows last."""
    intake = FakeIntake()
    perform(prepare(folder), intake, lambda _: None)
    assert intake.done == [
        "delete banking10/train.jsonl",
        "upload banking10/job.yaml",
        "upload banking10/eval.jsonl",
        "upload banking10/train.jsonl",
    ]


def test_a_file_that_completes_a_folder_deletes_nothing(folder: Path) -> None:
    """Dropping only the missing piece leaves the rest of the data set where it is."""
    (folder / "train.jsonl").unlink()
    intake = FakeIntake()
    perform(prepare(folder), intake, lambda _: None)
    assert intake.done == ["upload banking10/job.yaml", "upload banking10/eval.jsonl"]


def test_what_is_left_out_of_a_folder_is_said(folder: Path) -> None:
    """Only files with a role are uploaded; a misprint in a name is seen."""
    (folder / "evaluation.jsonl").write_text("")
    assert prepare(folder).left_out == ("LICENCE.md", "evaluation.jsonl")


def test_a_data_set_may_be_given_another_name(folder: Path) -> None:
    """The name is the folder of the objects, or the object itself."""
    assert prepare(folder, "other").uploads[0].object_name == "other/job.yaml"
    assert prepare(folder / "train.jsonl", "other").uploads[0].object_name == "other.jsonl"


def test_wishes_for_a_file_become_its_metadata(folder: Path) -> None:
    """Keys are written as in job.yaml and sent as droptune-… with hyphens."""
    drop = prepare(folder / "train.jsonl", wishes=("train_steps=50", "base_model=a=b"))
    assert drop.metadata == {"droptune-train-steps": "50", "droptune-base-model": "a=b"}
    assert drop.request.train_steps == 50


@pytest.mark.parametrize("wish", ["train_steps", "=50"])
def test_a_wish_without_key_or_value_is_refused(folder: Path, wish: str) -> None:
    """The message shows the form."""
    with pytest.raises(InputError, match="KEY=VALUE"):
        prepare(folder / "train.jsonl", wishes=(wish,))


def test_a_misprint_in_a_wish_is_told_before_anything_is_uploaded(folder: Path) -> None:
    """Both for a file's --set and in a folder's job.yaml."""
    with pytest.raises(InputError, match=r"trian.steps"):
        prepare(folder / "train.jsonl", wishes=("trian_steps=50",))
    (folder / "job.yaml").write_text("trian_steps: 50")
    with pytest.raises(InputError, match=r"trian.steps"):
        prepare(folder)


def test_what_is_no_data_set_is_refused(folder: Path, tmp_path: Path) -> None:
    """Another kind of file, an empty folder, and wishes for a folder are told what would do."""
    with pytest.raises(InputError, match=r"not a \.jsonl file"):
        prepare(folder / "job.yaml")
    with pytest.raises(InputError, match="holds no data"):
        prepare(tmp_path)
    with pytest.raises(InputError, match=r"job\.yaml"):
        prepare(folder, wishes=("train_steps=50",))


def test_the_run_is_the_one_that_the_pipeline_computes(dropped: Dropped) -> None:
    """Objects, generations and request give its id; whatever its report says then is about this drop."""
    waits = {dropped.expected_run: ledger(report=WAITING)}
    assert find(dropped, waits) == dropped.expected_run


def test_a_run_is_found_by_the_generations_that_its_report_names(dropped: Dropped) -> None:
    """As when a job.yaml that was there before changed the request; reports on other generations are not taken."""
    other = REPORT | {"files": [file | {"generation": 7} for file in REPORT["files"]]}
    assert find(dropped, {"a": ledger(report=other), "b": ledger(report=WAITING), RUN: ledger(report=REPORT)}) == RUN


def test_a_report_that_names_no_files_is_known_by_being_new(dropped: Dropped) -> None:
    """A data set may be refused before its files were looked at."""
    refused = ledger(report=REJECTED | {"files": []})
    assert find(dropped, {"old": refused, "waits": ledger(report=WAITING), RUN: refused}, frozenset({"old"})) == RUN


def test_a_drop_that_nobody_answers_is_given_up(dropped: Dropped) -> None:
    """The message says where to look."""
    slept: list[float] = []
    runs = RunsReader(FakeBucket({}), FakeBucket({}))
    with pytest.raises(CliError, match="dead-letters"):
        find_run(dropped, NONE, runs, slept.append)
    assert sum(slept) == pytest.approx(GIVE_UP_SECONDS, abs=1)
