"""What the function does for an uploaded object is what the command does for a file. Nothing here is a fake."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cloud_process import RUNS, Cloud

from droptune.datasets import report
from droptune.datasets.check import check_files
from droptune.datasets.describe import build
from droptune.datasets.report import encode
from droptune.events import Role

SCHEMA = json.loads((Path(report.__file__).parent / "report.schema.json").read_text())
# What depends on whether something is to be started, and on which models the cloud serves.
OF_THE_CLOUD = ("METHOD-", "MODEL-")


def text(n: int) -> dict[str, Any]:
    return {"input_text": f"Where is card number {n}?", "output_text": ("card_arrival", "lost_card")[n % 2]}


def japanese(n: int) -> dict[str, Any]:
    return {"input_text": f"カード番号{n}はどこですか。", "output_text": ("カード到着", "カード紛失")[n % 2]}


def prompt(n: int) -> dict[str, Any]:
    return {"input_text": f"What is a good name for shop {n}?"}


def preference(n: int) -> dict[str, Any]:
    return {**prompt(n), "candidate_0": f"The corner of {n}.", "candidate_1": f"Shop {n}.", "choice": n % 2}


def lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def with_faults(rows: bytes) -> bytes:
    """The rows with bytes, shapes and contents that are wrong, spread over several blocks."""
    broken = rows.splitlines(keepends=True)
    broken[3] = b'{"input_text": "no answer"}\n'
    broken[4], broken[-5] = broken[2], broken[-6]
    broken[7] = b"{not json\n"
    broken[9] = b"\n"
    broken[11] = b'{"input_text": 7, "output_text": ""}\r\n'
    broken[-2] = b'{"input_text": "Caf\xe9", "output_text": "a"}\n'
    broken[-1] = json.dumps({"input_text": "More", "output_text": "lost_card", "source": "web"}).encode()
    return b"".join(broken)


OBJECTS: Mapping[str, tuple[str, bytes]] = {  # by the start of the run's name
    "faults": ("faults.jsonl", with_faults(lines(text(n) for n in range(12_000)))),
    "dataset": ("質問 その一.jsonl", with_faults(lines(japanese(n) for n in range(60)))),
    "packed": ("packed.jsonl", gzip.compress(lines(text(n) for n in range(60)))),
    "array": ("array.jsonl", json.dumps([text(n) for n in range(60)], indent=2).encode()),
}


def reports(ledger: Mapping[str, dict[str, Any]], status: str) -> list[dict[str, Any]]:
    """The reports of a data set's runs that ended so."""
    return [one for name, one in ledger.items() if name.endswith("/report.json") and one["status"] == status]


def told(ledger: Mapping[str, dict[str, Any]]) -> list[str]:
    """The rejections that people were told of."""
    return [name for name in ledger if name.endswith("/notified-dataset-rejected.json")]


def judged_here(files: Mapping[Role, bytes], folder: Path) -> dict[str, Any]:
    """The report of the command on the same bytes."""
    folder.mkdir(parents=True)
    paths = {role: folder / f"{role}.jsonl" for role in files}
    for role, path in paths.items():
        path.write_bytes(files[role])
    checked = check_files(paths)
    found: dict[str, Any] = json.loads(encode(build(dataset="", run_id=None, status="rejected", checked=checked)))
    return found


def findings(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All that is found about the bytes, in order; the file's name aside, which only the cloud has in full."""
    found = [one for one in given["findings"] if not one["code"].startswith(OF_THE_CLOUD)]
    return [{key: value for key, value in one.items() if key != "file"} for one in found]


def assert_published(cloud: Cloud, given: Mapping[str, Any]) -> None:
    """The report is of the documented form, and there is a page to read."""
    jsonschema.Draft202012Validator(SCHEMA).validate(given)
    page = cloud.storage.bucket(RUNS).get_blob(f"{given['run_id']}/report.html")
    assert page.content_type.startswith("text/html")
    shown = page.download_as_text()
    assert shown.lower().startswith("<!doctype html>")
    assert all(one["code"] in shown for one in given["findings"])


@contextmanager
def events_held_back(cloud: Cloud) -> Iterator[None]:
    """Whatever is uploaded meanwhile is told afterwards."""
    processes = cloud.children("eventarc")
    assert processes
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@pytest.mark.parametrize("run", OBJECTS)
def test_an_object_is_judged_as_a_file_is(cloud: Cloud, run: str, tmp_path: Path) -> None:
    """The same findings with the same places, for whatever the bytes are; the fact of it is told once."""
    name, data = OBJECTS[run]
    cloud.put(name, data)
    ledger = cloud.wait(run, told)
    (found,) = reports(ledger, "rejected")
    here = judged_here({"train": data}, tmp_path / "here")
    assert findings(found) == findings(here)
    assert findings(found)
    assert found["statistics"] == here["statistics"]
    assert (found["rows"], found["lines"], found["format"]) == (here["rows"], here["lines"], here["format"])
    assert {one["file"] for one in found["findings"]} == {name}
    assert_published(cloud, found)


@pytest.mark.parametrize("order", [("prompts", "preferences"), ("preferences", "prompts")], ids="-".join)
def test_a_folder_for_which_there_is_no_method_is_refused_by_name(
    cloud: Cloud, order: tuple[Role, Role], tmp_path: Path
) -> None:
    """Whichever file comes first, one report says what cannot be started and all else that is wrong."""
    preferences = [preference(n) for n in range(60)]
    preferences[5]["choice"] = 2
    files: Mapping[Role, bytes] = {
        "prompts": lines(prompt(n) for n in range(1000, 1060)) + b'{"input_text": ""}\n',
        "preferences": lines(preferences),
    }
    folder = f"after-{order[0]}"
    cloud.put(f"{folder}/{order[0]}.jsonl", files[order[0]])
    cloud.wait(folder, lambda ledger: reports(ledger, "waiting"))
    cloud.put(f"{folder}/{order[1]}.jsonl", files[order[1]])
    ledger = cloud.wait(folder, told)
    (found,) = reports(ledger, "rejected")
    (waited,) = reports(ledger, "waiting")
    assert len(told(ledger)) == 1
    assert waited["missing"] == [f"{order[1]}.jsonl"]
    (refusal,) = [one for one in found["findings"] if one["code"] == "METHOD-UNAVAILABLE"]
    assert refusal["values"]["method"] == "rlhf"
    assert findings(found) == findings(judged_here(files, tmp_path / "here"))
    assert {"PREF-CHOICE", "PROMPT-EMPTY-INPUT"} <= {one["code"] for one in found["findings"]}
    assert_published(cloud, found)
    assert_published(cloud, waited)


def test_an_object_that_was_replaced_is_superseded(cloud: Cloud) -> None:
    """The run of the older generation ends without news to anybody; the newer one is judged for itself."""
    with events_held_back(cloud):
        older = cloud.put("replaced.jsonl", lines(text(n) for n in range(40))).generation
        newer = cloud.put("replaced.jsonl", b'{"input_text": "no answer"}\n').generation
    assert older != newer
    ledger = cloud.wait("replaced", lambda ledger: told(ledger) and reports(ledger, "superseded"))
    (superseded,), (rejected,) = reports(ledger, "superseded"), reports(ledger, "rejected")
    assert [one["code"] for one in superseded["findings"]] == ["OBJECT-REPLACED"]
    assert [file["generation"] for file in rejected["files"]] == [newer]
    assert told(ledger) == [f"{rejected['run_id']}/notified-dataset-rejected.json"]
    assert_published(cloud, superseded)
