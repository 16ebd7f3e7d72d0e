"""The corpus of tests/cases/workflows/*.yaml as typed cases. A key that no case knows is an error at loading."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parents[2] / "cases" / "workflows"
_ABSENT: Final = object()
_OUTCOMES = ("result", "error", "refused")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One workflow, what it is given, and how it must end: exactly one of `result`, `error` and `refused`."""

    name: str
    source: str = ""
    # In place of `source`: one expression, with the argument as `args`.
    evaluate: str = ""
    argument: Any = None
    env: dict[str, str] | None = None
    # Exchanges: what the world answers to each request, and what is expected of the request (workflows_stub.py).
    http: tuple[dict[str, Any], ...] = ()
    # Requests that must have been made, in order, each as "METHOD URL".
    calls: tuple[str, ...] | None = None
    # Requests to the execution's callback endpoints: `at` seconds, with `method` (POST), `query`, `json` or `text` and
    # its `type`, to the endpoint of that method (`endpoint` names another, else it is the first), and the `status`
    # that must answer. Only a server has callers.
    callers: tuple[dict[str, Any], ...] = ()
    result: Any = _ABSENT
    # `tags` that must be among the error's, `payload` as a whole, `context` as a part.
    error: dict[str, Any] | None = None
    # A part of the refusal, or one part for each of its problems.
    refused: str | tuple[str, ...] | None = None
    # Line and column of the first problem, or of each.
    at: tuple[Any, ...] | None = None
    # Driven seconds between start and end.
    elapsed: float | None = None

    def text(self) -> str:
        """The definition."""
        if self.source:
            return self.source
        quoted = "'${" + self.evaluate.replace("'", "''") + "}'"
        return f"main:\n  params: [args]\n  steps:\n    - only:\n        return: {quoted}\n"

    def problems(self) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        """What a refusal must say, and where its first problems must be."""
        parts = (self.refused,) if isinstance(self.refused, str) else self.refused or ()
        places = self.at or ()
        if places and isinstance(places[0], int):
            places = (places,)
        return parts, tuple((line, column) for line, column in places)


_KEYS = frozenset(field.name for field in fields(Case))


def read_case(raw: Any) -> Case:
    """A case, checked. ValueError names what is wrong with it."""
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        raise ValueError(f"a case must be a map with a name: {raw}")
    name = raw["name"]
    if unknown := raw.keys() - _KEYS:
        raise ValueError(f"case {name!r} has unknown keys {sorted(unknown)}; allowed: {sorted(_KEYS)}")
    if len(raw.keys() & set(_OUTCOMES)) != 1:
        raise ValueError(f"case {name!r} must have exactly one of {', '.join(_OUTCOMES)}")
    if ("source" in raw) == ("evaluate" in raw):
        raise ValueError(f"case {name!r} must have either source or evaluate")
    if "at" in raw and "refused" not in raw:
        raise ValueError(f"case {name!r} is not refused, so there is no place for `at`")
    # A key of the case's own whose value is a list; an argument or a result stays what it is.
    frozen = ("http", "calls", "callers", "refused", "at")
    return Case(**{key: tuple(v) if key in frozen and isinstance(v, list) else v for key, v in raw.items()})


def read_corpus(folder: Path = FOLDER) -> dict[str, Case]:
    """All cases by "file: name", in the order of the files. ValueError when two of a file have the same name."""
    found: dict[str, Case] = {}
    for path in sorted(folder.glob("*.yaml")):
        for raw in yaml.safe_load(path.read_text(encoding="utf-8")):
            case = read_case(raw)
            key = f"{path.stem}: {case.name}"
            if key in found:
                raise ValueError(f"{path.name} has two cases called {case.name!r}")
            found[key] = case
    return found
