"""The rules, whose wording, fixes, examples and sources are in ``rules.yaml``, and the findings made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
import yaml

from ..events import Finding, Severity
from .fields import excerpt

MAX_IN_FULL = 1_000  # findings of each severity
MAX_POINTER = 200
MAX_OF_CODE_ALWAYS = 10  # the first of every code are kept even so, lest one fault hides another

_SEVERITY_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a code means. `message` may name ``{found}`` and ``{allowed}``.

    Of a rule that is `once`, the first finding per file and place is kept and the others counted: it says something
    about the file rather than about a row. `wrong` and `right` are examples; what is not text is described.
    """

    code: str
    severity: Severity
    title: str
    message: str
    allowed: str
    fix: str
    wrong: str
    right: str
    source: str
    once: bool = False


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its code. Read on first use: a clean data set needs none."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (Path(__file__).parent / "rules.yaml").read_text(encoding="utf-8")
    entries = yaml.load(text, Loader=loader)
    return {code: msgspec.convert({"code": code, **entry}, Rule) for code, entry in entries.items()}


class Findings:
    """Collects findings: the first `MAX_IN_FULL` of each severity in full, all of them counted."""

    def __init__(self) -> None:
        self.by_code: Counter[str] = Counter()
        self._kept: dict[Severity, list[Finding]] = {"error": [], "warning": [], "note": []}
        self._kept_of_code: Counter[str] = Counter()
        self._said: set[tuple[str, str | None, str | None]] = set()

    def add(
        self,
        code: str,
        *,
        found: str = "",
        allowed: str | None = None,
        fix: str | None = None,
        file: str | None = None,
        line: int | None = None,
        offset: int | None = None,
        pointer: str | None = None,
        text: str | None = None,
    ) -> None:
        """One more finding. `allowed` and `fix` replace the rule's own where the case knows better; `text` is cut."""
        rule = rules()[code]
        self.by_code[code] += 1
        kept = self._kept[rule.severity]
        if len(kept) >= MAX_IN_FULL and self._kept_of_code[code] >= MAX_OF_CODE_ALWAYS:
            return
        pointer = None if pointer is None else _cut(printable(pointer))
        if rule.once:
            place = (code, file, pointer)
            if place in self._said:
                return
            self._said.add(place)
        self._kept_of_code[code] += 1
        found, allowed = printable(found), printable(allowed or rule.allowed)
        kept.append(
            Finding(
                code=code,
                severity=rule.severity,
                message=rule.message.replace("{found}", found).replace("{allowed}", allowed),
                fix=fix or rule.fix,
                file=file,
                line=line,
                offset=offset,
                pointer=pointer,
                excerpt=printable(excerpt(text)) if text else None,
                found=found or None,
                allowed=allowed or None,
                source=rule.source,
            )
        )

    def count(self, severity: Severity) -> int:
        """How many findings of a severity there are, kept or not."""
        return sum(count for code, count in self.by_code.items() if rules()[code].severity == severity)

    @property
    def blocking(self) -> bool:
        """Whether there is an error."""
        return self.count("error") > 0

    def listed(self) -> tuple[Finding, ...]:
        """The findings kept, errors first, then by file and line."""
        every = [finding for kept in self._kept.values() for finding in kept]
        return tuple(sorted(every, key=lambda f: (_SEVERITY_ORDER[f.severity], f.file or "", f.line or 0)))


def printable(text: str) -> str:
    """Text that can be encoded and shown: lone surrogates and control characters are written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _cut(pointer: str) -> str:
    """A pointer short enough for a message: only a name that no format has can make it longer."""
    return pointer if len(pointer) <= MAX_POINTER else pointer[: MAX_POINTER - 1] + "…"
