"""SARIF: what code scanning services require of it, and results that stay the same when lines move."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from intake_reports import finding, full_report, hostile_report, report, rules_of

from droptune.datasets.rules import LANGUAGES, Language
from droptune.datasets.sarif import sarif
from droptune.events import Finding

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["error", "warning", "note"]}
URI = {"type": "string", "pattern": r"^[A-Za-z0-9._~!$&'()*+,;=:@%/#-]*$"}
# The part of the standard's JSON schema, and of what GitHub code scanning asks for, that these logs use. Nothing else
# may be there, so that a misspelt property is found.
SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "semanticVersion", "rules"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"const": "droptune"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/rule"}},
                                },
                            }
                        },
                    },
                    "language": {"type": "string", "pattern": "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$"},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "invocations": {
                        "type": "array",
                        "items": {"type": "object", "required": ["executionSuccessful"]},
                    },
                    "artifacts": {
                        "type": "array",
                        "uniqueItems": True,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {
                                "location": {"type": "object", "properties": {"uri": URI}},
                                "length": {"type": "integer", "minimum": 0},
                                "mimeType": {"type": "string", "pattern": "[^/]+/.+"},
                                "encoding": {"type": "string"},
                            },
                        },
                    },
                    "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                    "properties": {"type": "object"},
                },
            },
        },
    },
    "$defs": {
        "rule": {
            "type": "object",
            "required": ["id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string"},
                "name": {"type": "string"},
                "shortDescription": TEXT,
                "fullDescription": TEXT,
                "help": TEXT,
                "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}},
                "properties": {"type": "object", "required": ["kind", "remedy", "tags"]},
            },
        },
        "result": {
            "type": "object",
            "required": ["ruleId", "ruleIndex", "level", "message", "partialFingerprints"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": LEVEL,
                "message": TEXT,
                "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
                "properties": {"type": "object"},
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "required": ["artifactLocation"],
                                "properties": {
                                    "artifactLocation": {"type": "object", "properties": {"uri": URI}},
                                    "region": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {
                                            "startLine": {"type": "integer", "minimum": 1},
                                            "byteOffset": {"type": "integer", "minimum": 0},
                                            "snippet": TEXT,
                                        },
                                    },
                                },
                            },
                            "logicalLocations": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "required": ["fullyQualifiedName"],
                                    "properties": {
                                        "fullyQualifiedName": {"type": "string"},
                                        "kind": {"type": "string"},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def results(*findings: Finding) -> list[dict[str, Any]]:
    run = json.loads(sarif(report(findings, status="rejected", verdict="invalid")))["runs"][0]
    found: list[dict[str, Any]] = run["results"]
    return found


def location(one: Finding) -> dict[str, Any]:
    found: dict[str, Any] = results(one)[0]["locations"][0]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_logs_have_the_standard_shape(language: Language) -> None:
    """Full, hostile and empty reports are valid logs in every language."""
    for one in (full_report(), hostile_report(), report()):
        jsonschema.Draft202012Validator(SHAPE).validate(json.loads(sarif(one, language)))


def test_each_finding_is_a_result_of_its_rule() -> None:
    """Results are as many as the findings listed, and point at the descriptor of their rule."""
    one = full_report()
    run = json.loads(sarif(one))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(one.findings)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert {result["level"] for result in run["results"]} == {"error", "warning", "note"}


def test_a_place_is_file_line_byte_and_pointer() -> None:
    """The region is the line with its first byte; the JSON pointer is the logical location."""
    found = location(finding(rules_of("error", 1)[0], 17, text="ab"))
    assert found["physicalLocation"] == {
        "artifactLocation": {"uri": "train.jsonl"},
        "region": {"startLine": 17, "byteOffset": 1920, "snippet": {"text": "ab"}},
    }
    assert found["logicalLocations"][0]["fullyQualifiedName"] == "/output_text"


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a/b.jsonl", "a/b.jsonl"),
        ("my cards #1.jsonl", "my%20cards%20%231.jsonl"),
        ("/data/カード.jsonl", "file:///data/%E3%82%AB%E3%83%BC%E3%83%89.jsonl"),
        ("gs://bucket/a b.jsonl", "gs://bucket/a%20b.jsonl"),
        ("half\ud800.jsonl", "half%3F.jsonl"),
    ],
)
def test_names_become_uris(name: str, uri: str) -> None:
    """Relative names stay relative, absolute paths and addresses get or keep a scheme, the rest is escaped."""
    found = location(finding(rules_of("error", 1)[0], 1, file=name))
    assert found["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_fingerprints_survive_moved_lines() -> None:
    """The same fault on another line has the same fingerprint; two faults alike in one file have two."""
    rule = rules_of("error", 1)[0]
    here, there = results(finding(rule, 3)), results(finding(rule, 90))
    assert here[0]["partialFingerprints"] == there[0]["partialFingerprints"]
    first, second = results(finding(rule, 3), finding(rule, 4))
    assert first["partialFingerprints"] != second["partialFingerprints"]


def test_a_value_cannot_become_a_link() -> None:
    """SARIF reads ``[text](address)`` in messages as a link, so the bracket is escaped."""
    odd = Finding(code="FUTURE", kind="x", severity="error", message="[here](https://example.com)", fix="Fix [it].")
    assert results(odd)[0]["message"]["text"] == "\\[here](https://example.com) Fix [it]."


def test_the_same_report_is_the_same_bytes() -> None:
    """Nothing of the time or machine is in the log."""
    assert sarif(full_report()) == sarif(full_report())
