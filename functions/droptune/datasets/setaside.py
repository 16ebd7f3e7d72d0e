"""Rows set aside: a JSON Lines file that says of each where it stood, why it is not with the others, and its bytes."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from .findings import shareable
from .rowformat import Problem
from .rules import fill, rule


class SetAside:
    """The file, which is opened with the first row."""

    def __init__(self, opened: Callable[[], BinaryIO]) -> None:
        self._opened = opened
        self._file: BinaryIO | None = None
        self.rows = 0
        self.by_reason: Counter[str] = Counter()  # in words, each counted once a row
        self.first_line: dict[str, int] = {}

    def add_problems(self, line: int, offset: int, raw: bytes, problems: Iterable[Problem]) -> None:
        """A row that breaks rules."""
        said = {problem.code: _reason(problem) for problem in reversed(list(problems))}
        self._add(line, offset, raw, list(reversed(said)), list(reversed(said.values())))
        self._count(line, (rule(code).title["en"] for code in reversed(said)))

    def add(self, line: int, offset: int, raw: bytes, reason: str) -> None:
        """A row that breaks no rule."""
        self._add(line, offset, raw, [], [reason])
        self._count(line, [reason])

    def _add(self, line: int, offset: int, raw: bytes, codes: list[str], reasons: list[str]) -> None:
        entry: dict[str, Any] = {"line": line, "offset": offset, "codes": codes, "reasons": reasons}
        try:
            entry["raw"] = raw.decode("utf-8")
        except UnicodeDecodeError:
            entry["raw_base64"] = base64.b64encode(raw).decode("ascii")
        if self._file is None:
            self._file = self._opened()
        self._file.write(json.dumps(entry, ensure_ascii=False).encode("utf-8") + b"\n")
        self.rows += 1

    def _count(self, line: int, reasons: Iterable[str]) -> None:
        for reason in reasons:
            self.by_reason[reason] += 1
            self.first_line.setdefault(reason, line)


def _reason(problem: Problem) -> str:
    values = {name: shareable(value) if isinstance(value, str) else value for name, value in problem.values.items()}
    words = fill(rule(problem.code).message["en"], values)
    return f"{shareable(problem.pointer)}: {words}" if problem.pointer else words
