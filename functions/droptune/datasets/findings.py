"""Findings as they are collected, and what they become in a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ..events import Finding, Severity
from .formats.fields import excerpt
from .masking import masked
from .rowformat import Values
from .rules import Language, Remedy, fill, rule

MAX_IN_FULL = 1_000  # findings of each severity
MAX_OF_CODE_ALWAYS = 10  # the first of every code are kept even so, lest one fault hides another
MAX_POINTER = 200
MAX_MASKED = 1_000  # characters of what stands at a place, of which far fewer are shown

_SEVERITY_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


class Found(NamedTuple):
    """One finding before it is put into words. `line` counts from 1, `offset` is the line's first byte."""

    code: str
    values: Values
    file: str | None
    line: int | None
    offset: int | None
    pointer: str | None
    excerpt: str | None
    remedy: Remedy | None = None  # what `droptune fix` does about it, where that is not as the rule says


class Findings:
    """Collects findings: the first `MAX_IN_FULL` of each severity in full, all of them counted."""

    def __init__(self) -> None:
        self.by_code: Counter[str] = Counter()
        self._kept: dict[Severity, list[Found]] = {"error": [], "warning": [], "note": []}
        self._kept_of_code: Counter[str] = Counter()
        self._said: set[tuple[str, str | None, str | None]] = set()
        self.repairable = False  # whether `droptune fix` is known to correct every error without loss

    def add(
        self,
        code: str,
        values: Values | None = None,
        *,
        file: str | None = None,
        line: int | None = None,
        offset: int | None = None,
        pointer: str | None = None,
        text: str | None = None,
        times: int = 1,
    ) -> None:
        """One more finding, or `times` of the same of which one is kept; `text` is what stands there, and is cut."""
        self.by_code[code] += times
        self._keep(Found(code, values or {}, file, line, offset, pointer or None, text or None))

    def _keep(self, found: Found) -> None:
        definition = rule(found.code)
        self.repairable = self.repairable and definition.severity != "error"
        kept = self._kept[definition.severity]
        if len(kept) >= MAX_IN_FULL and self._kept_of_code[found.code] >= MAX_OF_CODE_ALWAYS:
            return
        if definition.once:
            place = (found.code, found.file, found.pointer)
            if place in self._said:
                return
            self._said.add(place)
        self._kept_of_code[found.code] += 1
        kept.append(found)

    def merge(self, other: Findings, lines: int, offset: int) -> None:
        """Take over what was found in the part of a file that begins after `lines` lines and `offset` bytes."""
        self.by_code.update(other.by_code)
        for kept in other._kept.values():
            for found in kept:
                moved_line = None if found.line is None else found.line + lines
                moved_offset = None if found.offset is None else found.offset + offset
                self._keep(found._replace(line=moved_line, offset=moved_offset))

    def count(self, severity: Severity) -> int:
        """How many findings of a severity there are, kept or not."""
        return sum(count for code, count in self.by_code.items() if rule(code).severity == severity)

    def offsets(self, code: str, file: str) -> list[int]:
        """Where the findings of a code in a file are that were kept, in the order in which they were found."""
        kept = self._kept[rule(code).severity]
        return [found.offset for found in kept if (found.code, found.file) == (code, file) and found.offset is not None]

    def errors_in(self, file: str | None = None) -> list[Found]:
        """The errors that were kept: all of them, or those in a file."""
        return [found for found in self._kept["error"] if file is None or found.file == file]

    def warnings_of(self, code: str, file: str) -> list[Found]:
        """The warnings of a code in a file that were kept."""
        return [found for found in self._kept["warning"] if (found.code, found.file) == (code, file)]

    def decide(self, remedy: Callable[[Found], Remedy | None], file: str | None = None) -> None:
        """Say what becomes of the errors that were kept: all of them, or those in a file."""
        self._kept["error"] = [
            found._replace(remedy=remedy(found)) if file is None or found.file == file else found
            for found in self._kept["error"]
        ]

    @property
    def all_listed(self) -> bool:
        """Whether every error was kept."""
        return len(self._kept["error"]) == self.count("error")

    @property
    def blocking(self) -> bool:
        """Whether there is an error."""
        return self.count("error") > 0

    @property
    def any_to_fix(self) -> bool:
        """Whether there is an error about which `droptune fix` does something, as its rule says."""
        rules = map(rule, self.by_code)
        return any(each.severity == "error" and each.remedy != "none" for each in rules)

    def listed(self, language: Language = "en") -> tuple[Finding, ...]:
        """The findings kept, in words, errors first, then by file and line."""
        every = [_worded(found, language) for kept in self._kept.values() for found in kept]
        return tuple(sorted(every, key=lambda f: (_SEVERITY_ORDER[f.severity], f.file or "", f.line or 0)))


def _worded(found: Found, language: Language) -> Finding:
    definition = rule(found.code)
    values = {name: shareable(value) if isinstance(value, str) else value for name, value in found.values.items()}
    return Finding(
        code=found.code,
        kind=definition.kind,
        severity=definition.severity,
        message=fill(definition.message[language], values),
        fix=fill(definition.fix[language], values),
        file=found.file,
        line=found.line,
        offset=found.offset,
        pointer=None if found.pointer is None else _cut(shareable(found.pointer)),
        excerpt=excerpt(shareable(found.excerpt)) if found.excerpt else None,
        found=str(values["found"]) if "found" in values else None,
        allowed=fill(definition.allowed[language], values) or None,
        source=definition.source,
        values=values,
        remedy=None if found.remedy == definition.remedy else found.remedy,
    )


def shareable(text: str) -> str:
    """The beginning of a text as a report can show it: printable, and without personal data and secrets."""
    return printable(masked(text if len(text) <= MAX_MASKED else f"{text[: MAX_MASKED - 1]}…"))


def printable(text: str) -> str:
    """Text that can be encoded and shown: lone surrogates and control characters are written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def severities(codes: Iterable[str]) -> Mapping[str, Severity]:
    """The severity of each code."""
    return {code: rule(code).severity for code in codes}


def _cut(pointer: str) -> str:
    """A pointer short enough for a message: only a name that no format has can make it longer."""
    return pointer if len(pointer) <= MAX_POINTER else pointer[: MAX_POINTER - 1] + "…"
