"""Rows that are nearly right, and whether a format's typed decode, columns and rules agree about a row."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from hypothesis import strategies as st

from droptune.datasets.formats import detect
from droptune.datasets.rowformat import Batch, RowFormat
from droptune.datasets.rules import rule

Path = tuple[str | int, ...]

STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, "", " ", "\t\n", "1", "Hi", [], {}, [[]], ["Hi"], {"text": "Hi"}),
    *([{"type": "text", "text": "Hi"}], [{"type": "text"}], [{"type": "image_url", "image_url": {"url": "gs://b/a"}}]),
    *("system", "developer", "user", "assistant", "model", "tool", "function", "human", "Bot"),
    *({"role": "user", "content": "Hi"}, {"role": "assistant", "content": None}, {"role": "system", "content": "Be"}),
)


def keys(value: Any) -> int:
    """How many keys all objects in a value have."""
    if isinstance(value, dict):
        return len(value) + sum(map(keys, value.values()))
    return sum(map(keys, value)) if isinstance(value, list) else 0


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """The paths of everything within a value, itself included."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*at, key))


@st.composite
def mutated(draw: st.DrawFn, rows: Sequence[Any], names: Sequence[str]) -> Any:
    """One of the rows after up to three changes: a value replaced, removed, repeated, renamed or added."""
    row = copy.deepcopy(draw(st.sampled_from(rows)))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(list(places(row))))
        value = draw(st.sampled_from(STRANGE))
        if not path:
            row[draw(st.sampled_from(names))] = copy.deepcopy(value)
            continue
        parent: Any = row
        for key in path[:-1]:
            parent = parent[key]
        here = parent[path[-1]]
        change = draw(st.sampled_from(("replace", "remove", "repeat", "add")))
        if change == "replace":
            parent[path[-1]] = copy.deepcopy(value)
        elif change == "remove":
            del parent[path[-1]]
        elif isinstance(parent, list):
            parent.insert(draw(st.integers(0, len(parent))), copy.deepcopy(here))
        else:
            parent[draw(st.sampled_from(names))] = copy.deepcopy(value)
    return row


def assert_agreement(fmt: RowFormat, row: dict[str, Any]) -> None:
    """What the fast path counts has no problem, and what has no error can be read as a row and as text."""
    problems = list(fmt.problems(row))
    try:
        typed = msgspec.json.decode(msgspec.json.encode(row), type=fmt.row)
    except msgspec.ValidationError:
        typed = None
    if typed is not None:
        measured = fmt.measure([typed])
        assert measured == [0] or isinstance(measured, Batch)
        if isinstance(measured, Batch):
            (expected,) = np.broadcast_to(measured.keys, 1)
            assert expected < keys(row) or problems == []
    if all(rule(problem.code).severity != "error" for problem in problems):
        example = fmt.example(msgspec.convert(row, fmt.row))
        assert bool(example.answer) == fmt.has_answer


def assert_belongs(fmt: RowFormat, row: dict[str, Any]) -> None:
    """Among rows of a format, a row is judged by the rules of this format."""
    shape = detect(row)
    assert shape in (None, fmt.name) or shape in fmt.incomplete
