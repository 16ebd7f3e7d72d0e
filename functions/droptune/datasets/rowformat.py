"""What a format of rows is: its type, its rules, and what its rows say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..events import Format


class Problem(NamedTuple):
    """One broken rule within a row: the rule's code, a JSON pointer, and what stands there."""

    code: str
    pointer: str
    found: str = ""
    excerpt: str = ""


class Example(NamedTuple):
    """What a row asks and what it answers, as text. Several turns are joined by line breaks."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class RowFormat:
    """One shape of rows.

    `name` is the key in ``FORMATS``; `format` what the rest of the pipeline calls it. `row` is the typed form of a
    right row. A row of that type has gone through the fast path only when `sound_keys` gives a number, the keys that a
    row without fault has in all its objects: more keys in the bytes mean unknown or repeated fields. `problems` lists
    everything wrong in a decoded object. The two agree: what `sound_keys` accepts, `problems` finds nothing in.
    `incomplete` names the shapes which, in a file of this format, are rows of this format that miss something.
    """

    name: str
    format: Format
    row: type[Any]
    sound_keys: Callable[[Any], int | None]
    problems: Callable[[Mapping[str, Any]], Iterator[Problem]]
    example: Callable[[Any], Example]
    one_answer_per_prompt: bool = True
    has_answer: bool = True
    incomplete: frozenset[str] = frozenset()
