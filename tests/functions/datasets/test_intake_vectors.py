"""Lines and files written from the reference alone, and what must be said of each: tests/cases/vectors."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from droptune.cli import main
from droptune.datasets.check import Options, check_files
from droptune.datasets.describe import build
from droptune.datasets.report import Report
from droptune.events import Finding, Role
from droptune.request import Request

VECTORS = Path(__file__).parents[2] / "cases" / "vectors"
Vector = dict[str, Any]


def _vectors() -> Iterator[Vector]:
    for path in sorted(VECTORS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line:
                vector: Vector = json.loads(line)
                yield {**vector, "name": f"{path.stem}: {vector['name']}"}


ALL = list(_vectors())
SMALL = [vector for vector in ALL if "files" not in vector]
FIELDS = ("verdict", "format", "method", "rows", "lines")
PLACES = ("code", "kind", "severity", "line", "offset", "pointer", "message")


def _bytes(file: Vector) -> bytes:
    """The bytes of a file: given, or rows of a template, whose `{n}` is the number of the row, and lines after them.

    What is long is given compressed.
    """
    if "base64" in file:
        return base64.b64decode(file["base64"])
    if "zipped" in file:
        return gzip.decompress(base64.b64decode(file["zipped"]))
    rows = [file["template"].replace("{n}", str(n)) for n in range(file.get("rows", 0))]
    return "".join(line + "\n" for line in [*rows, *file.get("lines", ())]).encode()


def _written(vector: Vector, folder: Path) -> dict[Role, Path]:
    files = vector.get("files") or {vector.get("role", "train"): vector}
    paths: dict[Role, Path] = {}
    for role, file in files.items():
        paths[cast(Role, role)] = path = folder / f"{role}.jsonl"
        path.write_bytes(_bytes(file))
    return paths


def _judged(vector: Vector, folder: Path) -> Report:
    paths = _written(vector, folder)
    options = Options(line_only=vector.get("line_only", True), content=vector.get("content", True))
    checked = check_files(paths, Request(method=vector.get("ask")), options)
    return build(dataset="vectors", run_id=None, status="ready", checked=checked)


def _says(finding: Finding, expected: Vector, *, anyline: bool) -> bool:
    """Whether that is the finding; a pointer must be the same where one is expected."""
    return (
        finding.kind in expected["kind"]
        and (anyline or finding.line == expected["line"])
        and ("pointer" not in expected or finding.pointer == expected["pointer"])
        and ("file" not in expected or finding.file == f"{expected['file']}.jsonl")
    )


def _disagreements(vector: Vector, report: Report) -> list[str]:
    """In words, everything about which vector and report differ."""
    found: list[str] = []
    anyline, lax = vector.get("anyline", False), vector.get("lax", False)
    for one in vector["expect"]:
        if not any(_says(finding, one, anyline=anyline) for finding in report.findings):
            found.append(f"not said: {one}")
    for finding in report.findings:
        told = any(_says(finding, one, anyline=anyline) for one in vector["expect"])
        if finding.severity == "error" and "ok" in vector and not (told or lax):
            found.append(f"said too: {finding.code} {finding.line} {finding.pointer}")
    if "ok" in vector and vector["ok"] != (report.counts.errors == 0):
        found.append(f"errors: {report.counts.errors}")
    for field, said in (("format", report.format), ("method", report.method), ("rows", report.rows)):
        if field in vector and said != vector[field]:
            found.append(f"{field}: {said}, not {vector[field]}")
    if "count" in vector and report.lines != vector["count"]:
        found.append(f"lines: {report.lines}, not {vector['count']}")
    if "verdict" in vector and report.verdict not in _list(vector["verdict"]):
        found.append(f"verdict: {report.verdict}, not {vector['verdict']}")
    if "offset" in vector and vector["offset"] not in {f.offset for f in report.findings}:
        found.append(f"offsets: {sorted({f.offset for f in report.findings if f.offset is not None})}")
    if found:
        found.append("findings: " + "; ".join(f"{f.code} {f.kind} {f.line} {f.pointer}" for f in report.findings))
    return found


def _list(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("vector", ALL, ids=[vector["name"] for vector in ALL])
def test_a_vector_is_judged_as_the_reference_says(vector: Vector, tmp_path: Path) -> None:
    """Verdict, format, method, lines and every error of the line or file, at their places and of their kinds."""
    assert _disagreements(vector, _judged(vector, tmp_path)) == []


@pytest.mark.parametrize("vector", SMALL[::9], ids=[vector["name"] for vector in SMALL[::9]])
def test_the_command_says_the_same(vector: Vector, tmp_path: Path) -> None:
    """`droptune check --json` prints the report of the judgement, and its exit code says whether findings block."""
    told = _judged(vector, tmp_path)
    role = vector.get("role", "train")
    asked = ["--method", vector["ask"]] if "ask" in vector else []
    command = ["check", str(tmp_path / f"{role}.jsonl"), "--role", role, "--line-only", "--json", *asked]
    result = CliRunner().invoke(main, command)
    said = json.loads(result.stdout)
    assert [said[field] for field in FIELDS] == [getattr(told, field) for field in FIELDS]
    assert [[one[field] for field in PLACES] for one in said["findings"]] == [
        [getattr(one, field) for field in PLACES] for one in told.findings
    ]
    assert result.exit_code == (1 if told.counts.errors else 0)


def test_there_are_vectors_of_everything() -> None:
    """Every file of vectors is read, and no two have one name."""
    assert len(ALL) > 500
    assert len({vector["name"] for vector in ALL}) == len(ALL)
