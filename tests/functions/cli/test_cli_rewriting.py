"""The commands that make files from a file: names, overwriting, exit codes, and what they say."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from droptune.cli.commands.convert import convert
from droptune.cli.commands.fix import fix
from droptune.cli.commands.split import split
from droptune.cli.rewriting import beside
from droptune.datasets.formats import FORMATS
from droptune.datasets.split import Sides, held_out_of

Row = dict[str, Any]


def run(command: click.Command, *arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def text_rows(count: int) -> bytes:
    return b"".join(b'{"input_text": "question %d", "output_text": "answer"}\n' % number for number in range(count))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_bytes(text_rows(100))
    return path


def rows_of(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("name", "word", "expected"),
    [
        ("train.jsonl", "fixed", "train.fixed.jsonl"),
        ("a.b.json", "gemini", "a.b.gemini.jsonl"),
        ("train.jsonl.gz", "fixed", "train.fixed.jsonl"),
        ("train", "eval", "train.eval.jsonl"),
    ],
)
def test_results_stand_beside_the_file_under_its_name(name: str, word: str, expected: str) -> None:
    """A file that is made from another has its stem, and a word for what was done."""
    assert beside(Path("folder") / name, word) == Path("folder") / expected


def test_convert_writes_beside_and_says_how_many(file: Path) -> None:
    """Every row is in the new file, nothing else is written, and the exit code is 0."""
    code, out, _ = run(convert, file, "--to", "gemini")
    written = rows_of(file.with_name("train.gemini.jsonl"))
    assert (code, len(written)) == (0, 100)
    assert written[0]["contents"][1] == {"role": "model", "parts": [{"text": "answer"}]}
    assert "100 rows, text to gemini_contents" in out
    assert sorted(path.name for path in file.parent.iterdir()) == ["train.gemini.jsonl", "train.jsonl"]


def test_convert_rejects_rows_into_a_file_of_their_own(file: Path) -> None:
    """Rows without a form in the other format are listed with reasons, the others are written, exit code 1."""
    file.write_bytes(file.read_bytes() + b'{"input_text": "q", "output_text": 1}\n')
    code, out, _ = run(convert, file, "--to", "chat", "--json")
    summary = json.loads(out)
    assert (code, summary["rows"], summary["rejected"]) == (1, 100, 1)
    assert summary["reasons"][0]["first_line"] == 101
    (rejected,) = rows_of(file.with_name("train.chat.rejected.jsonl"))
    assert rejected["line"] == 101


def test_convert_says_what_is_lost(file: Path) -> None:
    """Each kind of loss is named with the number of rows and the first line."""
    file.write_bytes(text_rows(3) + b'{"input_text": "q", "output_text": "a", "source": "x"}\n')
    code, out, _ = run(convert, file, "--to", "completion")
    assert code == 0
    assert "1 × source: the field is dropped, first on line 4" in out


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("preference", 1, "those need two answers. Possible: prompts, chat,"),
        ("text", 1, "they are such rows already"),
        ("parquet", 2, "parquet is no format to convert to"),
    ],
)
def test_convert_refuses_by_name_and_says_what_is_possible(file: Path, word: str, code: int, said: str) -> None:
    """A pair without common meaning is your input's fault, a word that is no format a usage error."""
    given, _, error = run(convert, file, "--to", word)
    assert given == code
    assert said in error
    assert [path.name for path in file.parent.iterdir()] == ["train.jsonl"]


@pytest.mark.parametrize("command", [convert, fix, split])
def test_nothing_is_replaced_without_force(file: Path, command: click.Command) -> None:
    """A second run stops before it writes; --force replaces, and removes what the new run has no more."""
    more = ["--to", "gemini"] if command is convert else []
    assert run(command, file, *more)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in file.parent.iterdir()}
    code, _, error = run(command, file, *more)
    assert code == 1
    assert "--force" in error
    assert {path: path.stat().st_mtime_ns for path in file.parent.iterdir()} == before
    assert run(command, file, *more, "--force")[0] == 0


def test_the_file_itself_is_never_replaced(file: Path) -> None:
    """--out with the name of the file that is read is refused, with --force too."""
    before = file.read_bytes()
    for command, more in ((fix, []), (convert, ["--to", "gemini"])):
        code, _, error = run(command, file, *more, "--out", file, "--force")
        assert code == 1
        assert "is the file to read" in error
    assert file.read_bytes() == before


@pytest.mark.parametrize("command", [convert, fix, split])
def test_what_cannot_be_read_or_written_is_said(tmp_path: Path, file: Path, command: click.Command) -> None:
    """A file that is not there, and a folder that is not there, are the world's fault: 3."""
    more = ["--to", "gemini"] if command is convert else []
    assert run(command, tmp_path / "none.jsonl", *more)[0] == 3
    assert run(command, tmp_path, *more)[0] == 1
    if command is not split:
        assert run(command, file, *more, "--out", tmp_path / "nowhere" / "x.jsonl")[0] == 3


def test_fix_says_what_it_changed_and_what_it_removed(file: Path) -> None:
    """Changes and removals are counted by kind with their first lines, and the file stays as it was."""
    bad = b'{"input_text": "q", "output_text": 7}\r\n\n{"input_text": "q"\n'
    file.write_bytes(text_rows(2) + bad)
    code, out, _ = run(fix, file)
    assert code == 0
    assert "train.fixed.jsonl: 3 text rows" in out
    assert "1 × numbers and truth values written as texts where texts are needed, first on line 3" in out
    assert "1 × blank lines removed, first on line 4" in out
    assert "train.quarantine.jsonl: 1 row removed" in out
    assert "first on line 5" in out
    assert file.read_bytes() == text_rows(2) + bad
    assert rows_of(file.with_name("train.quarantine.jsonl"))[0]["raw"] == '{"input_text": "q"'


def test_fix_tells_programs_in_json(tmp_path: Path) -> None:
    """--json prints one object with files, counts, changes and reasons."""
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(gzip.compress(text_rows(5)))
    code, out, _ = run(fix, path, "--json")
    summary = json.loads(out)
    assert code == 0
    assert summary["file"] == str(tmp_path / "data.fixed.jsonl")
    assert (summary["format"], summary["rows"], summary["removed"], summary["quarantine"]) == ("text", 5, 0, None)
    assert summary["changes"] == [{"kind": "gzip", "change": "unpacked from gzip", "times": 1, "first_line": 1}]


def test_fix_knows_labels_by_their_name(tmp_path: Path) -> None:
    """A .tsv file is a table of labels, and so is its correction."""
    path = tmp_path / "labels.tsv"
    path.write_bytes(b"q1,d1,1\n")
    assert run(fix, path)[0] == 0
    assert (tmp_path / "labels.fixed.tsv").read_bytes() == b"query-id\tcorpus-id\tscore\nq1\td1\t1\n"


def test_fix_of_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    """A file of another kind is not corrected, and leaves nothing behind."""
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"PK\x03\x04 and so on")
    code, _, error = run(fix, path)
    assert code == 1
    assert "cannot be corrected" in error
    assert list(tmp_path.iterdir()) == [path]


def test_fix_wants_a_known_encoding(file: Path) -> None:
    """An encoding that is none of text is a usage error."""
    for name in ("latin-99", "base64"):
        assert run(fix, file, "--encoding", name)[0] == 2


def test_split_is_the_one_that_a_run_makes(tmp_path: Path) -> None:
    """Without options a file is divided as a run would divide it, each row on one side, in order."""
    path = tmp_path / "train.jsonl"
    data = text_rows(300) + text_rows(40)
    path.write_bytes(data)
    assert run(split, path)[0] == 0
    fmt = FORMATS["text"]
    with path.open("rb") as stream:
        held_out = held_out_of(stream, fmt)
    with path.open("rb") as stream:
        sides = Sides(stream, fmt, held_out)
        assert (tmp_path / "train.train.jsonl").read_bytes() == b"".join(sides)
        assert (tmp_path / "train.eval.jsonl").read_bytes() == sides.evaluation


@pytest.mark.parametrize(("options", "most"), [(("--share", "0.3"), 105), (("--rows", "7"), 8), (("--seed", "x"), 36)])
def test_split_keeps_equal_prompts_together_and_ignores_the_order(
    tmp_path: Path, options: tuple[str, ...], most: int
) -> None:
    """No prompt is on both sides, the sizes are about those asked for, and another order gives the same sides."""
    lines = (text_rows(300) + text_rows(40)).splitlines(keepends=True)
    sides = []
    for name, ordered in (("a", lines), ("b", lines[::-1])):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"".join(ordered))
        assert run(split, path, *options)[0] == 0
        train = (tmp_path / f"{name}.train.jsonl").read_bytes().splitlines()
        held_out = (tmp_path / f"{name}.eval.jsonl").read_bytes().splitlines()
        assert not set(train) & set(held_out)
        assert len(train) + len(held_out) == len(lines)
        assert 0 < len(held_out) <= most
        sides.append(set(held_out))
    assert sides[0] == sides[1]


def test_split_by_another_seed_is_another_one(file: Path) -> None:
    """The seed decides which prompts are held out."""
    held_out = set()
    for seed in ("a", "b", "c"):
        assert run(split, file, "--seed", seed, "--force")[0] == 0
        held_out.add(file.with_name("train.eval.jsonl").read_bytes())
    assert len(held_out) == 3


@pytest.mark.parametrize(
    ("data", "options", "code", "said"),
    [
        (text_rows(5), (), 1, "cannot be divided"),
        (text_rows(1) * 50, ("--share", "0.5"), 1, "50 rows have 1 different prompts"),
        (text_rows(50) + b"{}\n", (), 1, "line 51"),
        (b"a,b\n", (), 1, "no row of a known format"),
        (text_rows(50), ("--share", "0.1", "--rows", "3"), 2, "exclude each other"),
        (text_rows(50), ("--share", "1.5"), 2, "--share"),
    ],
)
def test_split_says_why_it_cannot(tmp_path: Path, data: bytes, options: tuple[str, ...], code: int, said: str) -> None:
    """Too few prompts, a broken row and options that contradict each other are told apart."""
    path = tmp_path / "train.jsonl"
    path.write_bytes(data)
    given, _, error = run(split, path, *options)
    assert given == code
    assert said in error
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("command", [convert, fix, split])
def test_a_pipe_is_refused_at_once(tmp_path: Path, command: click.Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are gone through more than once: a pipe and standard input are named, and not waited for."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.jsonl")
    more = ["--to", "gemini"] if command is convert else []
    for name, said in (("pipe.jsonl", "pipe.jsonl is a pipe"), ("-", "standard input cannot be read")):
        code, out, error = run(command, name, *more)
        assert (code, out) == (3, "") and said in error
    assert [path.name for path in tmp_path.iterdir()] == ["pipe.jsonl"]


@pytest.mark.parametrize("command", [convert, fix, split])
@pytest.mark.parametrize("as_json", [False, True])
def test_names_that_are_no_text_are_written_as_text(tmp_path: Path, command: click.Command, as_json: bool) -> None:
    """Bytes that are no UTF-8 do not end what is printed, and the files have them in their names."""
    path = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    path.write_bytes(text_rows(100))
    more = [*(["--to", "gemini"] if command is convert else []), *(["--json"] if as_json else [])]
    result = CliRunner().invoke(command, [str(path), *more])
    assert result.exit_code == 0
    assert ("caf\\\\xe9." if as_json else "caf\\xe9.") in result.stdout
    assert all(os.fsencode(each.name).startswith(b"caf\xe9.") for each in tmp_path.iterdir())
