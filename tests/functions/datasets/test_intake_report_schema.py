"""The JSON report's documented form: report.schema.json. DROPTUNE_WRITE_GOLDENS=1 writes it anew from the structs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import msgspec
from intake_reports import full_report, hostile_report, report

from droptune.datasets import report as reports
from droptune.datasets.report import Report, encode

COMMITTED = Path(reports.__file__).parent / "report.schema.json"


def test_the_schema_is_that_of_the_structs() -> None:
    """The committed schema says what the structs say, under the version that reports carry."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Droptune report, version {reports.VERSION}",
        **msgspec.json.schema(Report),
    }
    text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("DROPTUNE_WRITE_GOLDENS"):
        COMMITTED.write_text(text, encoding="utf-8")
    assert COMMITTED.read_text(encoding="utf-8") == text


def test_reports_fit_the_schema() -> None:
    """Full, hostile and empty reports are as documented, and read back as themselves."""
    validator = jsonschema.Draft202012Validator(json.loads(COMMITTED.read_text(encoding="utf-8")))
    for one in (full_report(), hostile_report(), report()):
        validator.validate(json.loads(encode(one)))
        assert msgspec.json.decode(encode(one), type=Report) == one
