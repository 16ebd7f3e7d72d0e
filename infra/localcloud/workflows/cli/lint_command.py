"""``lint FILE...``: what the service would refuse, and what it would not but bites later."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import SourceError
from ..language.parser import parse
from ..lint import RULES, Finding, errors, lint
from ..testing import read_cases
from ..testing.places import definition_of
from .drawing import Remark, draw, span
from .exits import FINE, PROBLEMS, UNREADABLE, USAGE
from .problems import split_advice
from .terminal import Output, Unreadable, complain, read_text, shown_name

SUMMARY = "say what is wrong in definitions, with the source line drawn"
_EPILOG = """exit status:
  0  no errors (warnings count as errors with --strict)
  1  errors
  2  wrong usage
  3  a file cannot be read

A comment `# lint: allow CODE` on the line, or alone on the line above, silences a warning."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="definitions in YAML or JSON, and their tables NAME.test.yaml; - is standard input",
    )
    parser.add_argument("--strict", action="store_true", help="warnings are errors")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--explain", metavar="CODE", help="say why a warning is given and what to write instead; `all` for every code"
    )


@dataclass(frozen=True)
class _Linted:
    file: str
    lines: tuple[str, ...]
    findings: tuple[Finding, ...]


def run(arguments: argparse.Namespace) -> int:
    """The exit status; findings are printed."""
    if arguments.explain is not None:
        return _explain(arguments.explain)
    if not arguments.files:
        complain("lint: name at least one FILE, or - for standard input")
        return USAGE
    linted: list[_Linted] = []
    status = FINE
    for path in arguments.files:
        try:
            text = read_text(path)
            linted.append(_Linted(shown_name(path), tuple(text.splitlines()), _findings(path, text)))
        except Unreadable as error:
            complain(str(error))
            status = UNREADABLE
    (_print_json if arguments.json else _print_text)(linted)
    failing = ("error", "warning") if arguments.strict else ("error",)
    if status == FINE and any(finding.severity in failing for each in linted for finding in each.findings):
        return PROBLEMS
    return status


def _findings(path: str, text: str) -> tuple[Finding, ...]:
    """What is wrong with a definition, or with the table of one that is right."""
    definition = definition_of(path)
    if definition is None:
        return lint(text)
    try:
        program = parse(read_text(definition))
    except SourceError:
        return ()  # told when the definition itself is looked at
    try:
        read_cases(text, program)
    except SourceError as refusal:
        return errors(refusal)
    return ()


def _print_text(linted: Sequence[_Linted]) -> None:
    output = Output()
    for each in linted:
        for finding in each.findings:
            message, hint = _split(finding)
            remark = Remark(finding.severity, message, finding.position, _code(finding), hint, finding.step)
            for line in draw(each.file, each.lines, remark):
                output.line(line)
            output.line()
    found = [finding.severity for each in linted for finding in each.findings]
    output.line(f"{_count(linted, 'file')}: {_words(found.count('error'), found.count('warning'))}")


def _print_json(linted: Sequence[_Linted]) -> None:
    files = [{"file": each.file, "findings": [_as_json(f, each.lines) for f in each.findings]} for each in linted]
    Output().line(json.dumps({"files": files}, ensure_ascii=False, indent=2))


def _as_json(finding: Finding, lines: Sequence[str]) -> dict[str, object]:
    place = finding.position
    message, hint = _split(finding)
    return {
        "severity": finding.severity,
        "code": finding.code,
        "message": message,
        "help": hint,
        "step": finding.step,
        "line": place.line,
        "column": place.column,
        "length": span(lines[place.line - 1], place.column) if place.line <= len(lines) else 1,
    }


def _split(finding: Finding) -> tuple[str, str | None]:
    """What is wrong, and what to do about it."""
    if finding.severity == "error":
        return split_advice(finding.message)
    return finding.message, finding.hint or RULES[finding.code].instead


def _code(finding: Finding) -> str | None:
    return finding.code if finding.severity == "warning" else None


def _explain(code: str) -> int:
    if code != "all" and code not in RULES:
        complain(f"lint: there is no code {code!r}; known: {', '.join(RULES)}")
        return USAGE
    output = Output()
    for rule in RULES.values():
        if code in ("all", rule.code):
            output.line(f"{rule.code}\n  why:     {rule.why}\n  instead: {rule.instead}")
    return FINE


def _count(items: Sequence[object], word: str) -> str:
    return f"{len(items)} {word}{'' if len(items) == 1 else 's'}"


def _words(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "nothing found"
    return f"{errors} error{'' if errors == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}"
