"""The report: documented JSON, and a page that no row can break."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from intake_rows import line, rows, text

from droptune.datasets.check import check_files
from droptune.datasets.page import page
from droptune.datasets.report import Report, encode
from droptune.events import Role
from droptune.request import Request


def report_on(folder: Path, request: Request | None = None, **files: bytes) -> Report:
    paths: dict[Role, Path] = {}
    for role, data in files.items():
        path = folder / f"{role}.jsonl"
        path.write_bytes(data)
        paths["train" if role == "train" else "eval"] = path
    return check_files(paths, request, name="cards")


def test_the_json_report_has_its_documented_form(tmp_path: Path) -> None:
    """Version, verdict, what the files are, counts, findings and statistics, and it reads back as itself."""
    report = report_on(tmp_path, train=rows("text", 0, 100), eval=rows("text", 100, 140))
    value = json.loads(encode(report))
    assert list(value) == [
        *("version", "run_id", "dataset", "status", "format", "method", "base_model"),
        *("files", "counts", "findings", "statistics", "missing"),
    ]
    assert (value["version"], value["status"], value["format"]) == (1, "ready", "text")
    assert (value["method"], value["base_model"]) == ("palm_text_sft", "text-bison@002")
    size = len(rows("text", 0, 100))
    assert value["files"][0] == {
        **{"role": "train", "name": "train.jsonl", "generation": None},
        **{"rows": 100, "bytes": size},
    }
    assert value["statistics"]["train"]["labels"] == {"card_arrival": 50, "lost_card": 50}
    assert value["statistics"]["train"]["fields"]["answer"]["percentiles"]["p25"] == 9
    assert msgspec.json.decode(encode(report), type=Report) == report


def test_lengths_are_exact(tmp_path: Path) -> None:
    """Percentiles are those of the lengths in characters, by nearest rank."""
    data = b"".join(line({"input_text": "é" * n, "output_text": "a"}) for n in range(1, 101))
    lengths = report_on(tmp_path, train=data).statistics["train"].fields["prompt"]
    assert (lengths.min, lengths.max, lengths.mean) == (1, 100, 50.5)
    assert lengths.percentiles == {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}


def test_long_answers_are_no_labels(tmp_path: Path) -> None:
    """Only short, repeated answers are counted as labels."""
    data = b"".join(line({**text(n), "output_text": f"The answer to {n}"}) for n in range(40))
    assert report_on(tmp_path, train=data).statistics["train"].labels is None


class Page(HTMLParser):
    """Collects tags and addresses, and knows no script."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str | None] = []
        self.open: list[str] = []
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value for key, value in attrs if key in ("src", "href", "action")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


HOSTILE = "<script>alert(1)</script><img src=x onerror=y>\"'&"


def test_the_page_shows_hostile_rows_as_text(tmp_path: Path) -> None:
    """Markup in rows, fields and labels stays text, and the page loads nothing from anywhere."""
    data = b"".join(line({**text(n), "output_text": HOSTILE, HOSTILE: 1}) for n in range(30))
    shown = Page(page(report_on(tmp_path, train=data + line({"input_text": HOSTILE, "output_text": [HOSTILE]}))))
    assert not {"script", "img", "link", "iframe"} & set(shown.tags)
    assert shown.addresses == []
    assert shown.open == []


def test_the_page_is_for_phones_and_for_the_dark(tmp_path: Path) -> None:
    """The page scales to its screen and follows the reader's colours."""
    data = page(report_on(tmp_path, train=rows("text", 0, 40)))
    assert b'name="viewport"' in data
    assert b"prefers-color-scheme: dark" in data


@pytest.mark.parametrize("train", [b"", b"\xff\xfe", b"{}", b"[{}]", rows("preference", 0, 3)])
def test_the_page_can_show_any_report(tmp_path: Path, train: bytes) -> None:
    """A report without statistics, format or method is shown as well."""
    assert b"Rejected" in page(report_on(tmp_path, train=train))


def test_a_requested_base_model_is_what_is_judged(tmp_path: Path) -> None:
    """The limits are those of the base model asked for."""
    report = report_on(tmp_path, Request(base_model="gemini-2.5-pro"), train=rows("gemini_contents", 0, 100))
    assert report.base_model == "gemini-2.5-pro"
