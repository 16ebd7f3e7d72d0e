"""``droptune check`` from outside: what paths name, what goes where, exit codes, and every option."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from droptune.cli import main
from droptune.cli.paths import word
from droptune.events import Finding
from droptune.methods.catalogue import base_models, known_methods

GOOD = b"".join(b'{"input_text": "Where is card %d?", "output_text": "label_%d"}\n' % (n, n % 3) for n in range(60))
EVAL = b"".join(b'{"input_text": "How do I pay bill %d?", "output_text": "label_%d"}\n' % (n, n % 3) for n in range(30))
EMPTY_ANSWER = b'{"input_text": "a", "output_text": ""}\n'
ARRAY = b"[" + GOOD.strip().replace(b"\n", b",\n") + b"]"
PROMPTS = b"".join(b'{"input_text": "question %d"}\n' % n for n in range(30))

KEYS = {
    "version": int,
    "run_id": type(None),
    "dataset": str,
    "status": str,
    "verdict": str,
    "format": (str, type(None)),
    "method": (str, type(None)),
    "base_model": (str, type(None)),
    "rows": int,
    "lines": int,
    "files": list,
    "counts": dict,
    "findings": list,
    "statistics": dict,
    "advice": list,
    "missing": list,
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str | Path, **environment: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["check", *map(str, arguments)], env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def report(*arguments: str | Path) -> dict[str, Any]:
    _, out, err = run(*arguments, "--json")
    assert out, err
    found: dict[str, Any] = json.loads(out)
    return found


def write(name: str, data: bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# What a path names.


def test_a_folder_of_roles_is_one_data_set() -> None:
    """Files with the names of roles are judged together, by job.yaml, and named by their paths."""
    write("cards/train.jsonl", GOOD)
    write("cards/eval.jsonl", EVAL)
    write("cards/job.yaml", b"base_model: text-bison-32k@002\n")
    found = report("cards")
    assert [(file["role"], file["name"], file["rows"]) for file in found["files"]] == [
        ("train", "cards/train.jsonl", 60),
        ("eval", "cards/eval.jsonl", 30),
    ]
    assert (found["dataset"], found["method"], found["base_model"]) == ("cards", "palm_text_sft", "text-bison-32k@002")
    assert report("cards", "--model", "text-bison@002")["base_model"] == "text-bison@002"


def test_files_whose_names_go_together_are_joined() -> None:
    """A name with the word for a role belongs to that with the word for another; rows in both are a finding."""
    write("cards_train.jsonl", GOOD)
    write("cards_eval.jsonl", GOOD)
    found = report("cards_train.jsonl", "cards_eval.jsonl")
    assert [file["role"] for file in found["files"]] == ["train", "eval"]
    assert "LEAKAGE-ALL" in found["counts"]["by_code"]
    apart = report("cards_train.jsonl")
    assert "LEAKAGE-ALL" not in apart["counts"]["by_code"]


@pytest.mark.parametrize("name", ["intent_labels.jsonl", "labels.jsonl", "labels.tsv", "queries.jsonl"])
def test_a_name_is_a_hint_and_rows_decide(name: str) -> None:
    """Rows of text are training data in a file of any name, beside other files too."""
    Path(name).write_bytes(GOOD)
    code, out, _ = run(name, "--json")
    report = json.loads(out)
    assert (code, report["format"], report["method"]) == (0, "text", "palm_text_sft")
    assert report["files"][0]["role"] == "train"


def test_labels_that_are_json_are_said_to_be_no_table() -> None:
    """Objects that are no rows of any format are meant as what the name says, and asking for labels is meant."""
    Path("a_labels.jsonl").write_bytes(b'{"query-id": "q1", "corpus-id": "d1", "score": 1}\n' * 3)
    Path("b.jsonl").write_bytes(GOOD)
    for arguments in (["a_labels.jsonl"], ["b.jsonl", "--role", "labels"], ["b.jsonl", "--format", "embedding-labels"]):
        code, out, _ = run(*arguments, "--json")
        assert (code, json.loads(out)["counts"]["by_code"]["LABELS-JSON"]) == (1, 1)


def test_several_data_sets_are_one_object() -> None:
    """What they share is said, what differs is null, and each finding tells its file by its path."""
    write("a/train.jsonl", GOOD)
    write("b/train.jsonl", GOOD + EMPTY_ANSWER)
    write("c.jsonl", GOOD)
    code, out, _ = run("a", "b", "c.jsonl", "--json")
    found = json.loads(out)
    assert code == 1 and found["rows"] == 181
    assert [file["name"] for file in found["files"]] == ["a/train.jsonl", "b/train.jsonl", "c.jsonl"]
    assert (found["format"], found["base_model"], found["status"]) == ("text", "text-bison@002", "rejected")
    assert [finding["file"] for finding in found["findings"] if finding["severity"] == "error"] == ["b/train.jsonl"]


def test_a_folder_of_other_names_is_a_data_set_for_each_file() -> None:
    """A thousand files are judged in one call; hidden files and those of other kinds are left."""
    for number in range(1000):
        write(f"many/rows {number}.jsonl", EMPTY_ANSWER)
    write("many/._rows.jsonl", b"\x00")
    write("many/notes.txt", b"x")
    found = report("many", "--no-content")
    assert len(found["files"]) == 1000
    assert found["counts"]["by_code"]["TEXT-EMPTY-OUTPUT"] == 1000


@pytest.mark.parametrize("name", ["link.jsonl", "folder"])
def test_links_are_followed(name: str) -> None:
    """To files and to folders."""
    write("real/train.jsonl", GOOD)
    Path("link.jsonl").symlink_to("real/train.jsonl")
    Path("folder").symlink_to("real")
    assert report(name)["rows"] == 60


# What cannot be read, and what cannot be asked.


@pytest.mark.parametrize("name", ["none.jsonl", "dangling.jsonl", "pipe.jsonl", "-", "/dev/null", "empty", "deep"])
def test_what_cannot_be_read_is_said_at_once(name: str) -> None:
    """Exit code 3, the name and what to do on standard error, nothing on standard output; a pipe is not waited for."""
    Path("dangling.jsonl").symlink_to("nowhere")
    os.mkfifo("pipe.jsonl")
    Path("empty").mkdir()
    write("deep/er/train.jsonl", GOOD)
    code, out, err = run(name, "--json")
    assert (code, out) == (3, "")
    assert err.startswith("droptune: ") and ("standard input" if name == "-" else name) in err
    assert len(err.splitlines()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything")
def test_a_file_without_permission_cannot_be_read() -> None:
    """Exit code 3, as for one that is not there."""
    write("secret.jsonl", GOOD).chmod(0)
    assert run("secret.jsonl")[0] == 3


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--model", "gemini-9", base_models()),
        ("--method", "magic", known_methods()),
        ("--format", "csv", ("text", "gemini_contents", "openai_chat")),
        ("--role", "boss", ("train", "labels")),
        ("--lang", "tlh", ("en", "ja")),
        ("--tokenizer", "none.json", ("none.json",)),
        ("--tokenizer", "rows.jsonl", ("rows.jsonl",)),
        ("--prices", "none.yaml", ("none.yaml",)),
        ("--prices", "rows.jsonl", ("rows.jsonl",)),
        ("--html", "rows.jsonl", ("rows.jsonl", "one of the files to check")),
    ],
)
def test_a_value_that_cannot_be_is_a_usage_error(option: str, value: str, named: Any) -> None:
    """Exit code 2 before anything is read; the message names the values that are allowed."""
    write("rows.jsonl", GOOD)
    code, out, err = run("rows.jsonl", option, value)
    assert (code, out) == (2, "")
    assert all(name in err for name in named)
    assert Path("rows.jsonl").read_bytes() == GOOD


def test_one_thing_at_most_goes_to_standard_output() -> None:
    """Two documents in one stream are no document."""
    write("rows.jsonl", GOOD)
    for both in (("--json", "--html", "-"), ("--sarif", "-", "--junit", "-")):
        assert run("rows.jsonl", *both)[0] == 2


def test_methods_and_formats_may_be_typed_with_hyphens() -> None:
    """As people write them."""
    write("rows.jsonl", GOOD)
    assert report("rows.jsonl", "--method", "palm-text-sft", "--format", "Text")["method"] == "palm_text_sft"


# What is found.


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--method", "rlhf"), "METHOD-UNFIT"),
        (("--method", "rlaif"), "METHOD-RLAIF"),
        (("--model", "gemini-2.5-flash"), "MODEL-UNFIT"),
    ],
)
def test_a_wish_that_does_not_fit_the_rows_is_a_finding(options: tuple[str, str], code: str) -> None:
    """An error with its fix, and no method where none is right."""
    write("rows.jsonl", GOOD)
    found = report("rows.jsonl", *options)
    (error,) = (finding for finding in found["findings"] if finding["severity"] == "error")
    assert error["code"] == code and error["fix"]
    assert (found["method"], found["verdict"]) == (None, "invalid")


def test_line_only_leaves_out_how_many_rows_there_are() -> None:
    """Three rows are too few to train on, and each of them is right."""
    write("rows.jsonl", b"".join(GOOD.splitlines(keepends=True)[:3]))
    assert run("rows.jsonl")[0] == 1
    assert run("rows.jsonl", "--line-only")[0] == 0
    write("bad.jsonl", EMPTY_ANSWER)
    assert run("bad.jsonl", "--line-only")[0] == 1


def test_a_wrong_job_file_is_a_finding_about_it() -> None:
    """The rows are judged all the same; the finding has the file and the line."""
    write("cards/train.jsonl", GOOD + EMPTY_ANSWER)
    write("cards/job.yaml", b"method: palm_text_sft\nregion: [\n")
    code, out, _ = run("cards", "--json")
    found = {finding["code"]: finding for finding in json.loads(out)["findings"]}
    assert code == 1 and "TEXT-EMPTY-OUTPUT" in found
    assert (found["REQUEST-YAML"]["file"], found["REQUEST-YAML"]["line"]) == ("cards/job.yaml", 3)


def test_a_folder_that_a_run_would_wait_for_says_so() -> None:
    """Nothing is wrong with the rows, but the next step is another file and not a drop."""
    write("cards/train.jsonl", GOOD)
    code, out, _ = run("cards")
    assert code == 0
    assert "Missing: eval.jsonl" in out and "droptune drop" not in out
    found = report("cards")
    assert (found["status"], found["missing"], found["verdict"]) == ("waiting", ["eval.jsonl"], "valid")


def test_rows_that_start_no_job_are_not_called_ready() -> None:
    """What prompts are for is open, so that there is nothing to drop yet."""
    write("prompts.jsonl", PROMPTS)
    code, out, _ = run("prompts.jsonl")
    assert code == 0
    assert "Usable, but no job starts" in out and "droptune drop" not in out


# What is printed.


@pytest.mark.parametrize(
    ("data", "verdict", "fmt"),
    [
        (GOOD, "valid", "text"),
        (b"", "invalid", None),
        (gzip.compress(GOOD), "repairable", None),
        (ARRAY, "repairable", None),
        (b'{"question": "a"}\n' * 20, "invalid", None),
        (b"\x80\x00{\n" * 20, "invalid", None),
        (GOOD + EMPTY_ANSWER, "invalid", "text"),
        (GOOD.replace(b"\n", b"\r\n"), "valid", "text"),
        (PROMPTS, "warn", "prompts"),
    ],
    ids=["good", "empty", "gzip", "array", "unknown", "bytes", "bad", "crlf", "prompts"],
)
def test_json_has_the_documented_keys_whatever_the_file(data: bytes, verdict: str, fmt: str | None) -> None:
    """Each key is there with its type, null where nothing is known, and so is each of every finding."""
    found = report(write("rows.jsonl", data))
    assert set(found) == set(KEYS)
    assert all(isinstance(found[key], types) for key, types in KEYS.items())
    assert (found["verdict"], found["format"]) == (verdict, fmt)
    for finding in found["findings"]:
        assert set(finding) == set(Finding.__struct_fields__)
        assert all(isinstance(finding[key], str) for key in ("code", "kind", "severity", "message", "fix"))
        assert all(finding[key] is None or isinstance(finding[key], int) for key in ("line", "offset"))
        assert finding["pointer"] is None or isinstance(finding["pointer"], str)


def test_the_exit_code_is_that_of_the_findings() -> None:
    """0 with notes and warnings, 1 with an error, in whatever form the report is asked for."""
    write("good.jsonl", GOOD)
    write("bad.jsonl", GOOD + EMPTY_ANSWER)
    for form in ((), ("--json",), ("--html", "-"), ("--sarif", "-"), ("--junit", "-")):
        assert run("good.jsonl", *form)[0] == 0
        assert run("bad.jsonl", *form)[0] == 1
        assert run("good.jsonl", "bad.jsonl", *form)[0] == 1


def test_reports_are_written_where_they_are_asked_for() -> None:
    """All forms in one call, and where they are on standard error; with "-" one is all of standard output."""
    write("rows.jsonl", GOOD + EMPTY_ANSWER)
    options = ("--html", "r.html", "--sarif", "r.sarif", "--junit", "r.xml")
    _, out, err = run("rows.jsonl", "--json", *options)
    assert json.loads(out)["rows"] == 61
    assert err.splitlines() == ["Written: r.html", "Written: r.sarif", "Written: r.xml"]
    assert Path("r.html").read_text().startswith("<!doctype html>")
    sarif = json.loads(Path("r.sarif").read_bytes())
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "rows.jsonl" and place["region"]["startLine"] == 61
    ElementTree.fromstring(Path("r.xml").read_bytes())
    assert json.loads(run("rows.jsonl", "--sarif", "-")[1]) == sarif


def test_a_report_that_cannot_be_written_is_said() -> None:
    """Exit code 3: the findings would be lost."""
    write("rows.jsonl", GOOD)
    code, _, err = run("rows.jsonl", "--html", "nowhere/r.html")
    assert code == 3 and "nowhere/r.html" in err


def test_findings_are_told_in_japanese() -> None:
    """In the text and in JSON; codes stay."""
    write("rows.jsonl", EMPTY_ANSWER)
    _, out, _ = run("rows.jsonl", "--lang", "ja")
    assert "回答が空です" in out and "TEXT-EMPTY-OUTPUT" in out
    assert "Error" not in out
    _, out, _ = run("rows.jsonl", "--lang", "ja", "--json")
    assert not any(finding["message"].isascii() for finding in json.loads(out)["findings"])


@pytest.mark.parametrize("name", ["my rows.jsonl", "two  blanks.jsonl", "it's.jsonl", "$HOME.jsonl", "-x.jsonl"])
def test_the_next_command_can_be_pasted(name: str) -> None:
    """Whatever a shell would read into the name."""
    path = write(name, ARRAY)
    _, out, _ = run("--", name)
    command = next(line for line in out.splitlines() if line.startswith("Next  droptune fix"))
    (typed,) = shlex.split(command.removeprefix("Next  droptune fix "))
    assert Path(typed).samefile(path) and not typed.startswith("-")


@pytest.mark.parametrize("name", [b"tab\t.jsonl", b"line\nbreak.jsonl", b"\xff'\\.jsonl", "番号.jsonl".encode()])
def test_odd_names_are_shown_and_can_be_typed_again(name: bytes) -> None:
    """JSON and pages are UTF-8 even so, no control character reaches the terminal, and bash finds the file."""
    path = os.fsdecode(name)
    write(path, ARRAY)
    _, out, _ = run(path)
    assert all(character.isprintable() or character == "\n" for character in out)
    assert word(path) in out
    for form in ("--json", "--html", "--sarif", "--junit"):
        assert run(path, *((form,) if form == "--json" else (form, "-")))[0] == 1
    listed = subprocess.run(["bash", "-c", f"ls -d {word(path)}"], capture_output=True, check=True, timeout=20)
    assert listed.stdout == name + b"\n"


def test_files_of_a_joined_data_set_are_fixed_one_by_one() -> None:
    """The command takes files, not folders, and only those that need it are named."""
    write("cards/train.jsonl", GOOD)
    write("cards/eval.jsonl", b"\xef\xbb\xbf[" + EVAL.strip().replace(b"\n", b",\n") + b"]")
    _, out, _ = run("cards")
    assert "droptune fix cards/eval.jsonl" in out
    assert "droptune fix cards\n" not in out and "fix cards/train" not in out


@pytest.mark.parametrize("columns", [40, 80])
def test_text_keeps_to_the_width_and_has_no_colour_in_a_pipe(columns: int) -> None:
    """Without a terminal there are no control sequences, and nothing is wider than COLUMNS says."""
    write("rows.jsonl", GOOD + EMPTY_ANSWER + b"{bad\n")
    _, out, err = run("rows.jsonl", COLUMNS=str(columns), NO_COLOR="1")
    assert "\x1b" not in out and err == ""
    assert max(map(len, out.splitlines())) <= columns
    assert "rows.jsonl:61" in out


# The process.


def test_ctrl_c_ends_it_with_one_line() -> None:
    """Exit code 130, without a traceback of this or of any other process, and nothing on standard output."""
    write("rows.jsonl", GOOD * 40_000)
    command = [sys.executable, "-c", "from droptune.cli import main; main()", "check", "rows.jsonl", "--processes", "2"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 20
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    while running.poll() is None and time.monotonic() < deadline and not _forked(children):
        pass
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, b"")
    assert err.split() == [b"droptune:", b"interrupted"]


def _forked(children: Path) -> bool:
    """Whether the process has started others; where the system does not say, any moment is right."""
    return bool(children.read_text().split()) if children.exists() else True


def test_a_small_check_imports_neither_clients_nor_a_tokenizer() -> None:
    """It answers at once: what a bucket, a page or several processes need is not loaded."""
    write("rows.jsonl", GOOD)
    code = (
        "import sys\nfrom droptune.cli import main\n"
        "try:\n    main(['check', 'rows.jsonl', '--json'])\nexcept SystemExit:\n    pass\n"
        "print('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.splitlines()[-1].split())
    unwanted = {"google.cloud.storage", "requests", "rich", "tokenizers", "torch", "multiprocessing", "hypothesis"}
    assert not loaded & unwanted
