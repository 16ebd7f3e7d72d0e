"""The report as SARIF 2.1.0, for code scanning and editors: one run, its rules, and a result per place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import msgspec

from .. import __version__
from ..events import Finding
from .grouping import Group, groups
from .report import Report
from .rules import Language, Remedy
from .wording import Wording

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "droptune/v1"
_LINK = re.compile(r"\[(?=[^\]]*\]\()")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://")

Json = dict[str, Any]


def sarif(report: Report, language: Language = "en") -> bytes:
    """The whole log in a language, the same bytes for the same report; our severities are SARIF's levels."""
    say = Wording(language)
    found = groups(report, say)
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(found, say)},
                "language": {"en": "en-US", "ja": "ja-JP"}[language],
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True, "properties": {"status": report.status}}],
                "artifacts": [_artifact(file.name, file.bytes) for file in report.files],
                "results": _results(found),
                "properties": {
                    "dataset": report.dataset,
                    "runId": report.run_id,
                    "verdict": report.verdict,
                    "counts": msgspec.to_builtins(report.counts),
                },
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(_encodable(log)), indent=2) + b"\n"


def _driver(found: Sequence[Group], say: Wording) -> Json:
    return {
        "name": "droptune",
        "semanticVersion": __version__,
        "rules": [_rule(group, say) for group in found],
    }


def _rule(group: Group, say: Wording) -> Json:
    """The descriptor of a rule; of one that is not known here, only its code and level."""
    described: Json = {"id": group.code, "defaultConfiguration": {"level": group.severity}}
    if group.rule is None:
        return described
    title, fix, allowed = (say.general(text) for text in (group.rule.title, group.rule.fix, group.rule.allowed))
    wrong, right = say("wrong"), say("right")
    source = f"{say('source')}: {group.rule.source}"
    text = [fix, f"{wrong}: {group.rule.wrong}", f"{right}: {group.rule.right}", source]
    markdown = [
        fix,
        f"**{wrong}**\n\n{_fenced(group.rule.wrong)}",
        f"**{right}**\n\n{_fenced(group.rule.right)}",
        source,
    ]
    return {
        **described,
        "name": "".join(word.capitalize() for word in group.code.split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": f"{title}. {say('allowed')}: {allowed}" if allowed else title},
        "help": {"text": "\n\n".join(text), "markdown": "\n\n".join(markdown)},
        "properties": {
            "kind": group.kind,
            "remedy": group.rule.remedy,
            "tags": ["data", group.kind],
            "problem.severity": {"note": "recommendation"}.get(group.severity, group.severity),
        },
    }


def _fenced(text: str) -> str:
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}json\n{text}\n{fence}"


def _results(found: Sequence[Group]) -> list[Json]:
    seen: Counter[str] = Counter()
    return [
        _result(finding, finding.remedy or (group.rule.remedy if group.rule else "none"), index, seen)
        for index, group in enumerate(found)
        for finding in group.findings
    ]


def _result(finding: Finding, remedy: Remedy, index: int, seen: Counter[str]) -> Json:
    result: Json = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": _message(finding)},
        "partialFingerprints": {FINGERPRINT: _fingerprint(finding, seen)},
        "properties": {"kind": finding.kind, "remedy": remedy, "values": finding.values},
    }
    location = _location(finding)
    if location:
        result["locations"] = [location]
    return result


def _message(finding: Finding) -> str:
    """What is wrong and what to do. A value cannot make a link of itself: its brackets are escaped as SARIF asks."""
    return _LINK.sub(r"\\[", f"{finding.message} {finding.fix}")


def _location(finding: Finding) -> Json:
    location: Json = {}
    if finding.file is not None:
        physical: Json = {"artifactLocation": {"uri": _uri(finding.file)}}
        if finding.line is not None:
            physical["region"] = _region(finding, finding.line)
        location["physicalLocation"] = physical
    if finding.pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.pointer, "kind": "member"}]
    return location


def _region(finding: Finding, line: int) -> Json:
    region: Json = {"startLine": line}
    if finding.offset is not None:
        region["byteOffset"] = finding.offset
    if finding.excerpt:
        region["snippet"] = {"text": finding.excerpt}
    return region


def _fingerprint(finding: Finding, seen: Counter[str]) -> str:
    """The same for a fault that only moved to another line; faults alike are numbered in their order."""
    parts = (finding.code, finding.file or "", finding.pointer or "", finding.excerpt or "")
    digest = sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _artifact(name: str, size: int) -> Json:
    return {"location": {"uri": _uri(name)}, "length": size, "mimeType": "application/jsonl", "encoding": "UTF-8"}


def _uri(name: str) -> str:
    """A name as a URI: an address stays one, an absolute path becomes one, any other name is relative."""
    scheme = _ADDRESS.match(name)
    if scheme:
        return scheme[0] + quote(name[scheme.end() :], errors="replace")
    path = quote(name.replace("\\", "/"), errors="replace")
    return f"file://{path}" if path.startswith("/") else path


def _encodable(value: Any) -> Any:
    """The value without halves of surrogate pairs, which names of files may hold and UTF-8 cannot."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case list():
            return [_encodable(item) for item in value]
    return value
