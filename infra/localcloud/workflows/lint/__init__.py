"""What is wrong with a definition, and what will bite: errors that refuse a deployment, and warnings that do not.

A warning is silenced where it stands by a comment on its line or the line above: ``# lint: allow CODE``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import SourceError
from ..language.parser import parse
from . import misreadings, reachability, waiting
from .findings import Definition, Finding, Rule, Severity

REFUSED = "refused"  # the code of every error: the deployment would be refused
RULES: Mapping[str, Rule] = {rule.code: rule for rule in (*reachability.RULES, *waiting.RULES, *misreadings.RULES)}
_ALLOW = re.compile(r"#\s*lint:\s*allow\s+([a-z0-9, -]+)")

__all__ = ["REFUSED", "RULES", "Finding", "Rule", "Severity", "errors", "lint"]


def lint(text: str) -> tuple[Finding, ...]:
    """Everything found, in the order of the source. Warnings are looked for in definitions without errors only."""
    try:
        program = parse(text)
    except SourceError as error:
        return errors(error)
    definition = Definition(program, tuple(text.splitlines()))
    found = [finding for rule in RULES.values() for finding in rule.find(definition)]
    kept = [finding for finding in found if finding.code not in _allowed(definition, finding.position.line)]
    return tuple(sorted(kept, key=lambda f: (f.position.line, f.position.column, f.code)))


def errors(refusal: SourceError) -> tuple[Finding, ...]:
    """The problems of a refused text as findings."""
    return tuple(Finding("error", REFUSED, p.message, p.position, p.step) for p in refusal.problems)


def _allowed(definition: Definition, line: int) -> frozenset[str]:
    """The codes that a comment on the line, or alone on the line above, silences."""
    texts = [definition.lines[line - 1]] if line <= len(definition.lines) else []
    if 1 < line <= len(definition.lines) + 1 and definition.lines[line - 2].lstrip().startswith("#"):
        texts.append(definition.lines[line - 2])
    return frozenset(
        code for text in texts for match in _ALLOW.finditer(text) for code in re.split(r"[, ]+", match[1]) if code
    )
