"""What the commands about files say when they refuse one, to programs too, and how they name what they judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from droptune.cli import main
from droptune.datasets.rules import LANGUAGES

TEXT = b"".join(b'{"input_text": "Where is card %d?", "output_text": "label_%d"}\n' % (n, n % 3) for n in range(60))
PROMPTS = b"".join(b'{"contents": [{"role": "user", "parts": [{"text": "question %d"}]}]}\n' % n for n in range(60))
JAPANESE = "".join(
    f'{{"input_text": "カード{n}の残高を表示してください。", "output_text": "残高"}}\n' for n in range(30)
)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def write(name: str, data: bytes) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(data)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("convert", "unknown.jsonl", "--to", "gemini"), 1, "no row of a known format"),
        (("convert", "text.jsonl", "--to", "preference"), 1, "those need two answers"),
        (("convert", "none.jsonl", "--to", "gemini"), 3, "none.jsonl"),
        (("split", "unknown.jsonl"), 1, "no row of a known format"),
        (("split", "few.jsonl"), 1, "cannot be divided"),
        (("split", "broken.jsonl"), 1, "has a broken row"),
        (("fix", "unknown.jsonl"), 1, "cannot be corrected"),
        (("fix", "text.jsonl", "--out", "text.jsonl"), 1, "is the file to read"),
    ],
)
def test_programs_are_told_why_a_file_is_refused(arguments: tuple[str, ...], code: int, said: str) -> None:
    """With --json a refusal is one object on standard output; people get the same words, on standard error."""
    for name, data in (
        ("unknown", b'{"question": "q"}\n'),
        ("text", TEXT),
        ("few", b"".join(TEXT.splitlines(keepends=True)[:5])),
        ("broken", TEXT + b"{\n"),
    ):
        write(f"{name}.jsonl", data)
    given, out, error = run(*arguments, "--json")
    assert (given, list(json.loads(out))) == (code, ["error"])
    assert said in json.loads(out)["error"]
    assert json.loads(out)["error"] in error
    assert run(*arguments)[:2] == (code, "")


def test_fix_names_the_encoding_that_lines_are_in() -> None:
    """Where no line is UTF-8 fix says how to read them, and the command that it names reads them all."""
    write("sjis.jsonl", JAPANESE.encode("cp932"))
    code, _, error = run("fix", "sjis.jsonl")
    assert code == 1
    assert "droptune fix sjis.jsonl --encoding cp932" in error
    assert "ename the fields" not in error
    code, out, _ = run("fix", "sjis.jsonl", "--encoding", "cp932", "--json")
    assert (code, json.loads(out)["rows"], json.loads(out)["encodings"]) == (0, 30, [])


def test_fix_names_the_encoding_of_some_lines() -> None:
    """Where some lines are in another encoding they are set aside, with the command that reads them, too."""
    write("latin.jsonl", TEXT + b'{"input_text": "caf\xe9", "output_text": "d\xe9j\xe0"}\n')
    code, out, _ = run("fix", "latin.jsonl")
    assert code == 0
    assert "read as windows-1252: run `droptune fix latin.jsonl --encoding windows-1252 --force`" in out
    code, out, _ = run("fix", "latin.jsonl", "--json", "--force")
    assert (json.loads(out)["removed"], json.loads(out)["encodings"]) == (1, ["windows-1252"])
    code, out, _ = run("fix", "latin.jsonl", "--encoding", "windows-1252", "--force")
    assert "61 text rows" in out
    assert "--encoding" not in out


def test_rows_to_evaluate_with_are_not_ready_for_tuning() -> None:
    """A lone evaluation file is said to be one, no job is proposed and no advice on tuning given, in any language."""
    write("nine.jsonl", b"".join(TEXT.splitlines(keepends=True)[:9]))
    code, out, _ = run("check", "nine.jsonl", "--role", "eval")
    assert code == 0
    assert "Usable for evaluation" in out.splitlines()[0]
    assert "Ready for tuning" not in out
    assert "droptune drop" not in out
    assert "Advice" not in out
    for language in LANGUAGES:
        page = run("check", "nine.jsonl", "--role", "eval", "--html", "-", "--lang", language)[1]
        assert not {"Ready for tuning", "チューニングを開始できます"} & set(page.replace("<", ">").split(">"))
    write("eval_too/train.jsonl", TEXT)
    write("eval_too/eval.jsonl", TEXT.replace(b"card", b"bill"))
    assert "Ready for tuning" in run("check", "eval_too")[1]


def whole_report(*arguments: str) -> dict[str, Any]:
    """What --json prints."""
    found: dict[str, Any] = json.loads(run("check", *arguments, "--json")[1])
    return found


def test_of_several_data_sets_each_has_its_whole_report() -> None:
    """The object on all of them holds the one on each, as it is when that is checked alone."""
    write("a/train.jsonl", TEXT)
    write("b.jsonl", PROMPTS)
    both = whole_report("a", "b.jsonl")
    assert (both["statistics"], both["advice"], both["format"]) == ({}, [], None)
    assert both["sets"] == [whole_report("a"), whole_report("b.jsonl")]
    assert both["sets"][0]["statistics"]["train"]["rows"] == 60
    assert all(one["advice"] and "sets" not in one for one in both["sets"])
    assert both["rows"] == sum(one["rows"] for one in both["sets"])


def test_the_page_on_several_data_sets_has_the_statistics_of_each() -> None:
    """Each set's numbers and advice stand under its name."""
    write("a/train.jsonl", TEXT)
    write("b.jsonl", PROMPTS)
    page = run("check", "a", "b.jsonl", "--html", "-")[1]
    assert page.count("<h3>a · ") == page.count("<h3>b · ") == 1
    assert "<p>b: " in page
