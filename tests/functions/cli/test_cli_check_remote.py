"""``droptune check gs://…`` on a real storage server: objects, folders, and what is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from click.testing import CliRunner

from droptune.cli import main

ROWS = b"".join(b'{"input_text": "Where is card %d?", "output_text": "label_%d"}\n' % (n, n % 3) for n in range(60))
BAD = b'{"input_text": "a", "output_text": ""}\n'


class Bucket:
    """A bucket of its own for each test, and the command that reads from it."""

    def __init__(self, address: str, name: str, data: Path) -> None:
        self.name = name
        self._address = address
        self._data = data
        requests.post(f"{address}/storage/v1/b", params={"project": "p"}, json={"name": name}, timeout=10)

    def put(self, name: str, data: bytes) -> None:
        """Upload an object."""
        url = f"{self._address}/upload/storage/v1/b/{self.name}/o?uploadType=media&name={quote(name, safe='')}"
        requests.post(url, data=data, timeout=10).raise_for_status()

    def check(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command; what begins with a slash is in the bucket."""
        words = [f"gs://{self.name}{word}" if word.startswith("/") else word for word in arguments]
        result = CliRunner().invoke(
            main, ["check", *words, "--data", str(self._data)], env={"STORAGE_EMULATOR_HOST": self._address}
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    def report(self, *arguments: str) -> dict[str, Any]:
        """What ``--json`` says."""
        _, out, err = self.check(*arguments, "--json")
        assert out, err
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.fixture
def bucket(storage_address: str, tmp_path: Path, request: pytest.FixtureRequest) -> Bucket:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    return Bucket(storage_address, f"check-{name}", tmp_path)


def test_an_object_is_judged_as_the_file_would_be(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is that of the same bytes on this machine, but for names and the object's generation."""
    data = ROWS + BAD
    bucket.put("cards.jsonl", data)
    (tmp_path / "cards.jsonl").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    there, here = bucket.report("/cards.jsonl"), bucket.report("cards.jsonl")
    assert there["files"][0].pop("generation") > 0 and here["files"][0].pop("generation") is None
    assert json.loads(json.dumps(here).replace("cards.jsonl", f"gs://{bucket.name}/cards.jsonl")) == there
    assert there["counts"]["errors"] == 1


def test_a_folder_is_one_data_set(bucket: Bucket) -> None:
    """Files with the names of roles are joined, with job.yaml, whether or not the address ends with a slash."""
    bucket.put("cards/train.jsonl", ROWS)
    bucket.put("cards/eval.jsonl", ROWS[: ROWS.index(b"\n") + 1])
    bucket.put("cards/job.yaml", b"method: palm_text_sft\n")
    bucket.put("cards/deeper/train.jsonl", BAD)
    for address in ("/cards", "/cards/"):
        report = bucket.report(address)
        assert [(file["role"], file["name"]) for file in report["files"]] == [
            ("train", f"gs://{bucket.name}/cards/train.jsonl"),
            ("eval", f"gs://{bucket.name}/cards/eval.jsonl"),
        ]
        assert report["dataset"] == "cards" and "LEAKAGE-ALL" in report["counts"]["by_code"]


def test_other_names_in_a_folder_are_data_sets_of_their_own(bucket: Bucket) -> None:
    """A bucket or folder of any .jsonl files is all of them; what is no data is left."""
    bucket.put("a.jsonl", ROWS)
    bucket.put("b.jsonl", BAD)
    bucket.put(".hidden.jsonl", BAD)
    bucket.put("README.md", b"# cards")
    report = bucket.report("/")
    assert [file["name"] for file in report["files"]] == [f"gs://{bucket.name}/{name}.jsonl" for name in "ab"]


def test_what_to_type_next_is_not_about_files_on_this_machine(bucket: Bucket) -> None:
    """An object is neither dropped nor fixed by a command that takes local files."""
    bucket.put("my cards.jsonl", ROWS)
    code, out, _ = bucket.check("/my cards.jsonl")
    assert code == 0 and "droptune drop" not in out
    bucket.put("array.jsonl", b"[" + ROWS.replace(b"\n", b",\n")[:-2] + b"]")
    code, out, _ = bucket.check("/array.jsonl")
    assert code == 1 and "droptune fix gs" not in out


@pytest.mark.parametrize("address", ["/none.jsonl", "/none/"])
def test_what_is_not_there_cannot_be_read(bucket: Bucket, address: str) -> None:
    """Exit code 3, and the address in the message; nothing on standard output."""
    code, out, err = bucket.check(address, "--json")
    assert (code, out) == (3, "") and f"gs://{bucket.name}{address}" in err


def test_a_folder_without_data_cannot_be_read(bucket: Bucket) -> None:
    """As on this machine."""
    bucket.put("notes/readme.txt", b"x")
    code, _, err = bucket.check("/notes/")
    assert code == 3 and "holds no data" in err


def test_a_bucket_that_is_not_there_cannot_be_read(bucket: Bucket) -> None:
    """The message says what to look at."""
    code, _, err = bucket.check("gs://check-no-such-bucket-at-all/x/")
    assert code == 3 and "--project" in err


def test_an_address_without_a_bucket_is_a_usage_error(bucket: Bucket) -> None:
    """The message shows what an address looks like."""
    code, _, err = bucket.check("gs://")
    assert code == 2 and "gs://BUCKET/NAME" in err


def test_without_a_cloud_it_says_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of Google's servers unless the user names a project."""
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    result = CliRunner().invoke(main, ["check", "gs://cards/train.jsonl", "--data", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (3, "")
    assert "droptune up" in result.stderr and "--project" in result.stderr


@pytest.mark.parametrize("command", [["fix"], ["split"], ["convert", "--to", "gemini"]])
def test_commands_that_write_files_say_how_to_get_one(command: list[str]) -> None:
    """An address is refused by name, with the command that copies the object."""
    result = CliRunner().invoke(main, [*command, "gs://cards/my train.jsonl"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "gcloud storage cp 'gs://cards/my train.jsonl' ." in result.stderr
