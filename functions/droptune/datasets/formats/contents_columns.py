"""Columns of typed rows with `contents`, for the fast path: rows of text whose turns alternate.

Rows that hold more, or say nothing somewhere, are named by `doubtful` and looked at one by one elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..bulk import blanks, lengths
from ..rowformat import Batch
from .columns import per_row
from .contents import Conversation, Conversed, Turn, extra_problems
from .fields import keys_within
from .parts import Part

UNSET = msgspec.UNSET
EXTRAS = ("tools", "generationConfig")
Sizes = NDArray[np.int32]


class Columns(NamedTuple):
    """What rows say, turn by turn: `texts` and `sizes` of every turn, and how many `turns` each row has.

    Of each row, `keys` are the keys of all its objects, `prompt` the characters of its system instruction and turns.
    """

    keys: Sizes
    texts: list[str]
    sizes: Sizes
    turns: Sizes
    prompt: Sizes
    fields: Mapping[str, Sizes]

    def from_last(self, back: int) -> list[str]:
        """The text of each row's last turn, or of one that is `back` turns before it."""
        if len(self.turns) and (self.turns == self.turns[0]).all():
            every = int(self.turns[0])
            return self.texts[every - 1 - back :: every]
        return [self.texts[at] for at in (self.last - back).tolist()]

    @property
    def last(self) -> NDArray[np.int64]:
        """The positions of the rows' last turns."""
        return np.cumsum(self.turns, dtype=np.int64) - 1


def read(rows: Sequence[Conversed], conversation: Conversation) -> Columns | None:
    """The columns of rows; None when some row is doubtful."""
    every = [row.contents for row in rows]
    turns = np.fromiter(map(len, every), np.int32, len(every))
    answered = conversation.last == conversation.answers
    if not turns.all() or ((turns & 1) == answered).any():
        return None
    flat = list(chain.from_iterable(every))
    if not _alternate([turn.role for turn in flat], turns, conversation.answers):
        return None
    told = texts_of(flat)
    system = _systems(rows)
    more = _extra_keys(rows)
    if told is None or system is None or more is None:
        return None
    texts, sizes, parts = told
    if answered:
        fields = {"user": sizes[0::2], conversation.answers: sizes[1::2]}
    else:
        fields = _by_role(sizes, turns, conversation)
    # Each row has `contents`, each turn `role` and `parts`, and each part `text`.
    keys = 1 + 2 * turns + (turns if parts is None else per_row(parts, turns)) + system.keys + more
    prompt = per_row(sizes, turns)
    if system.sizes is not None:
        prompt = prompt + system.sizes
        fields = {"systemInstruction": system.sizes[system.sizes > 0], **fields}
    return Columns(keys, texts, sizes, turns, prompt, fields)


def doubtful(rows: Sequence[Conversed], conversation: Conversation) -> list[int]:
    """The positions of rows that `read` has no columns for."""
    answers, answered = conversation.answers, conversation.last == conversation.answers
    if _systems(rows) is None or _extra_keys(rows) is None:
        suspects: Iterable[int] = range(len(rows))
    else:
        suspects = _suspects([row.contents for row in rows], answers, answered)
    return [at for at in suspects if not _sound(rows[at], answers, answered)]


def _suspects(contents: Sequence[Sequence[Turn]], answers: str, answered: bool) -> list[int]:
    """The positions of rows some turn of which is out of order or no plain text, the last one not being there too."""
    turns = np.fromiter(map(len, contents), np.int64, len(contents))
    longest = ["user", answers] * (int(turns.max()) // 2 + 1)
    expected = chain.from_iterable([longest[:count] for count in turns.tolist()])
    flat = [turn for each in contents for turn in each]
    odd = [
        at
        for at, (turn, role) in enumerate(zip(flat, expected, strict=True))
        if turn.role != role or len(turn.parts) != 1 or not (text := turn.parts[0].text) or text.isspace()
    ]
    rows = np.searchsorted(np.cumsum(turns), odd, side="right")
    found: list[int] = np.union1d(rows, np.flatnonzero(((turns & 1) == answered) | (turns == 0))).tolist()
    return found


def measure_answered(conversation: Conversation) -> Callable[[Sequence[Any]], Batch | list[int]]:
    """The `measure` of rows that end with their answer."""

    def measure(rows: Sequence[Any]) -> Batch | list[int]:
        columns = read(rows, conversation)
        if columns is None:
            return doubtful(rows, conversation)
        answer = columns.sizes[columns.last]
        before = columns.prompt - answer
        hashed, answers = columns.from_last(1), columns.from_last(0)
        return Batch(columns.keys, hashed, before, answer, columns.fields, answers, columns.turns)

    return measure


def measure_asked(conversation: Conversation) -> Callable[[Sequence[Any]], Batch | list[int]]:
    """The `measure` of rows that end with their question and have nothing else."""

    def measure(rows: Sequence[Any]) -> Batch | list[int]:
        columns = read(rows, conversation)
        if columns is None:
            return doubtful(rows, conversation)
        return asked_batch(columns)

    return measure


def asked_batch(columns: Columns) -> Batch:
    """Columns of rows that end with their question, as a batch."""
    nothing = np.zeros(len(columns.turns), np.int32)
    return Batch(columns.keys, columns.from_last(0), columns.prompt, nothing, columns.fields, turns=columns.turns)


class Content(Protocol):
    """Parts that somebody says: a turn's, or a system instruction's."""

    @property
    def parts(self) -> list[Part]: ...


class Texts(NamedTuple):
    """The text of each Content and its characters; `parts` are the numbers of parts, None where all have one."""

    texts: list[str]
    sizes: Sizes
    parts: Sizes | None


def texts_of(contents: Sequence[Content]) -> Texts | None:
    """What Contents say; None when a part is no text or says nothing, or there is none."""
    try:
        texts: list[Any] = [part.text for content in contents for [part] in [content.parts]]
    except ValueError:  # not every turn has exactly one part
        return _texts_of_parts([content.parts for content in contents])
    sizes = _sizes(texts)
    return None if sizes is None else Texts(texts, sizes, None)


def _texts_of_parts(contents: Sequence[list[Part]]) -> Texts | None:
    counts = np.fromiter(map(len, contents), np.int32, len(contents))
    texts: list[Any] = [part.text for parts in contents for part in parts]
    sizes = _sizes(texts) if counts.all() else None
    if sizes is None:
        return None
    remaining = iter(texts)
    whole = ["".join(islice(remaining, count)) for count in counts.tolist()]
    return Texts(whole, per_row(sizes, counts), counts)


def _sizes(texts: list[Any]) -> Sizes | None:
    """The characters of each text; None when one is none, or says nothing."""
    try:
        return None if blanks(texts) else lengths(texts)
    except TypeError:  # the part is of another kind
        return None


def _alternate(roles: list[str], turns: Sizes, answers: str) -> bool:
    """Whether each row's turns are the user's and the other's by turns, the user's first."""
    if not (turns & 1).any():
        half = len(roles) // 2
        return roles[0::2].count("user") == half and roles[1::2].count(answers) == half
    longest = ["user", answers] * (int(turns.max()) // 2 + 1)
    return roles == list(chain.from_iterable([longest[:count] for count in turns.tolist()]))


def _by_role(sizes: Sizes, turns: Sizes, conversation: Conversation) -> dict[str, Sizes]:
    """The characters of turns by role, where rows have an odd number of turns."""
    starts = np.cumsum(turns, dtype=np.int64) - turns
    asks = np.arange(len(sizes)) - np.repeat(starts, turns) & 1 == 0
    return {"user": sizes[asks], conversation.answers: sizes[~asks]}


class _System(NamedTuple):
    keys: Sizes | int
    sizes: Sizes | None


def _systems(rows: Sequence[Conversed]) -> _System | None:
    """The system instructions' keys and characters by row; None when one says nothing."""
    systems = [row.systemInstruction for row in rows]
    given = [system for system in systems if system is not UNSET]
    if not given:
        return _System(0, None)
    told = _sizes_of_alike(given)
    if told is None:
        return None
    sizes, parts = told
    roles = [system.role is not UNSET for system in given]
    alike = roles.count(roles[0]) == len(roles)
    keys = 2 + parts + (int(roles[0]) if alike else np.array(roles, np.int32))
    if len(given) == len(rows):
        return _System(keys, sizes)
    there = [system is not UNSET for system in systems]
    all_keys, all_sizes = np.zeros((2, len(rows)), np.int32)
    all_keys[there], all_sizes[there] = keys, sizes
    return _System(all_keys, all_sizes)


def _sizes_of_alike(contents: Sequence[Content]) -> tuple[Sizes, Sizes | int] | None:
    """The characters and parts that `texts_of` says of Contents, quicker where all say the same, as is usual here."""
    first = contents[0].parts
    if says(first) and len(first) == 1:
        text = first[0].text
        if [content.parts[0].text for content in contents if len(content.parts) == 1].count(text) == len(contents):
            return np.full(len(contents), len(str(text)), np.int32), 1
    told = texts_of(contents)
    return None if told is None else (told.sizes, 1 if told.parts is None else told.parts)


def _extra_keys(rows: Sequence[Conversed]) -> Sizes | int | None:
    """The keys of `tools` and `generationConfig` by row, theirs included; None when something is wrong with one."""
    if [row.tools for row in rows].count(UNSET) == [row.generationConfig for row in rows].count(UNSET) == len(rows):
        return 0
    keys = np.zeros(len(rows), np.int32)
    for at, row in enumerate(rows):
        given = {name: value for name in EXTRAS if (value := getattr(row, name)) is not UNSET}
        if next(extra_problems(given), None) is not None:
            return None
        keys[at] = keys_within(given, 0)
    return keys


def _sound(row: Conversed, answers: str, answered: bool) -> bool:
    """What `read` wants of each row, for one."""
    turns: list[Turn] = row.contents
    if not turns or (len(turns) & 1) == answered:
        return False
    expected = "user"
    for turn in turns:
        if turn.role != expected or not says(turn.parts):
            return False
        expected = answers if expected == "user" else "user"
    system = row.systemInstruction
    if system is not UNSET and not says(system.parts):
        return False
    return (row.tools is UNSET and row.generationConfig is UNSET) or _extra_keys((row,)) is not None


def says(parts: Sequence[Part]) -> bool:
    """Whether there are parts, all of them text that is not blank."""
    for part in parts:
        text = part.text
        if text is UNSET or not text or text.isspace():
            return False
    return bool(parts)
