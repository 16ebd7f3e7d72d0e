"""The report: documented JSON, and a page that no row can break."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from intake_rows import line, rows, text

from droptune.datasets.check import check_files
from droptune.datasets.describe import build
from droptune.datasets.report import Report, encode
from droptune.events import Role
from droptune.request import Request


def report_on(folder: Path, request: Request | None = None, **files: bytes) -> Report:
    paths: dict[Role, Path] = {}
    for role, data in files.items():
        path = folder / f"{role}.jsonl"
        path.write_bytes(data)
        paths["train" if role == "train" else "eval"] = path
    return build(dataset="cards", run_id=None, status="ready", checked=check_files(paths, request))


def test_the_json_report_has_its_documented_form(tmp_path: Path) -> None:
    """Version, verdict, what the files are, counts, findings and statistics, and it reads back as itself."""
    report = report_on(tmp_path, train=rows("text", 0, 100), eval=rows("text", 100, 140))
    value = json.loads(encode(report))
    assert list(value) == [
        *("version", "run_id", "dataset", "status", "verdict", "format", "method", "base_model", "rows", "lines"),
        *("files", "counts", "findings", "statistics", "advice", "missing"),
    ]
    assert (value["version"], value["status"], value["format"]) == (2, "ready", "text")
    assert (value["method"], value["base_model"]) == ("palm_text_sft", "text-bison@002")
    size = len(rows("text", 0, 100))
    assert value["files"][0] == {
        **{"role": "train", "name": "train.jsonl", "generation": None, "format": "text"},
        **{"rows": 100, "lines": 100, "bytes": size},
    }
    assert value["statistics"]["train"]["labels"] == {"card_arrival": 50, "lost_card": 50}
    assert value["statistics"]["train"]["fields"]["output_text"]["percentiles"]["p25"] == 9
    assert msgspec.json.decode(encode(report), type=Report) == report


def test_lengths_are_exact(tmp_path: Path) -> None:
    """Percentiles are those of the lengths in characters, by nearest rank."""
    data = b"".join(line({"input_text": "é" * n, "output_text": "a"}) for n in range(1, 101))
    lengths = report_on(tmp_path, train=data).statistics["train"].fields["input_text"]
    assert (lengths.min, lengths.max, lengths.mean) == (1, 100, 50.5)
    assert lengths.percentiles == {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95, "p99": 99}


def test_long_answers_are_no_labels(tmp_path: Path) -> None:
    """Only short, repeated answers are counted as labels."""
    data = b"".join(line({**text(n), "output_text": f"The answer to {n}"}) for n in range(40))
    assert report_on(tmp_path, train=data).statistics["train"].labels is None


def test_a_requested_base_model_is_what_is_judged(tmp_path: Path) -> None:
    """The limits are those of the base model asked for."""
    report = report_on(tmp_path, Request(base_model="gemini-2.5-pro"), train=rows("gemini_contents", 0, 100))
    assert report.base_model == "gemini-2.5-pro"
