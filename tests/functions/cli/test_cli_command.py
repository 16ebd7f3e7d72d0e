"""The command as a whole: help, exit codes, errors that name the next command, a light start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from droptune.cli import COMMANDS, main

HEAVY = (
    "google.auth",
    "google.cloud.storage",
    "torch",
    "transformers",
    "requests",
    "rich",
    "localcloud",
    "yaml",
    "msgspec",
)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def imported_by(arguments: list[str]) -> set[str]:
    code = (
        "import sys\nfrom droptune.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    """A person who asks for help waits for no library."""
    modules = imported_by(["--help"])
    assert [name for name in HEAVY if name in modules] == []
    _, out, _ = run("--help")
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_begins_as_the_list_does_or_says_more(name: str) -> None:
    """`droptune COMMAND --help` works for each and says in full sentences what it does."""
    code, out, _ = run(name, "--help")
    assert code == 0
    assert out.startswith(f"Usage: main {name}") and "." in out


@pytest.mark.parametrize("name", COMMANDS)
def test_asking_a_command_for_help_imports_neither_clients_nor_torch(name: str) -> None:
    """What a command needs is imported when it works, not when it is described."""
    assert imported_by([name, "--help"]).isdisjoint({"google.cloud.storage", "torch", "requests", "rich.live"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["runs"],
        ["show", "r"],
        ["watch", "r"],
        ["ask", "r", "text"],
        ["drop", __file__],
        ["logs", "r"],
        ["dead-letters"],
        ["env"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_without_a_local_cloud_a_command_says_how_to_start_one(arguments: list[str], tmp_path: Path) -> None:
    """Exit code 3, and the next command in the message."""
    code, out, err = run(*arguments, "--data", str(tmp_path))
    assert (code, out) == (3, "")
    assert "droptune up" in err


def test_a_command_that_does_not_exist_is_a_usage_error() -> None:
    """Exit code 2, as for a wrong option."""
    assert run("tune")[0] == 2
    assert run("runs", "--nonsense")[0] == 2


def test_check_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    """Exit code 1, each finding with its line and its fix; nothing is asked of any cloud."""
    file = tmp_path / "bad.jsonl"
    file.write_text('{"input_text": "a", "output_text": "b"}\n{"input_text": "c", "output_text": ""}\n')
    code, out, err = run("check", str(file))
    assert code == 1
    assert "TEXT-EMPTY-OUTPUT" in out and "bad.jsonl:2" in out and "Fix: " in out
    assert "Not usable" in out and not err


def test_check_passes_the_data_set_of_the_demo() -> None:
    """Exit code 0 for a folder, with rows and format of each file as JSON."""
    folder = Path(__file__).parents[3] / "functions" / "droptune" / "cli" / "demo" / "banking10"
    code, out, _ = run("check", str(folder), "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["format"], report["counts"]["errors"]) == ("text", 0)
    assert [(file["role"], file["rows"]) for file in report["files"]] == [("train", 700), ("eval", 150)]


def test_check_says_when_a_file_cannot_be_read(tmp_path: Path) -> None:
    """Exit code 3: the data set was not looked at."""
    code, _, err = run("check", str(tmp_path / "missing.jsonl"))
    assert code == 3 and "missing.jsonl" in err


def test_doctor_says_for_each_line_that_is_not_ok_what_to_do(tmp_path: Path) -> None:
    """Without a local cloud it warns and names the command that starts one."""
    _, out, _ = run("doctor", "--json", "--data", str(tmp_path))
    results = {result["subject"]: result for result in json.loads(out)}
    assert results["local cloud"]["level"] == "warn" and "droptune up" in results["local cloud"]["advice"]
    assert all(result["advice"] for result in results.values() if result["level"] != "ok")
