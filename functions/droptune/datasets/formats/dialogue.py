"""The rules of a list of turns with one text each, ``{"author"|"role": …, "content": "…"}``, and its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bulk import blanks, lengths
from ..rowformat import Batch, Problem, Values
from .columns import per_row
from .fields import blank, excerpt, fields_of, shown, text_field, unknown_fields

# What others call the one who asks, the one who answers, and the instruction before them.
ASKING = frozenset({"user", "human"})
ANSWERING = frozenset({"assistant", "model", "bot", "ai", "gpt"})
INSTRUCTING = frozenset({"system", "developer"})


@dataclass(frozen=True)
class Dialogue:
    """How a format names its turns.

    `asks` and `answers` are the two roles that alternate. `prefix` begins the codes of its findings; `last_turn` is
    the code for a list that does not end with `last`. `system` may stand first, once.

    The codes end with MISSING-MESSAGES, MESSAGES-TYPE, EMPTY-MESSAGES, TURN-TYPE, MISSING-ROLE, ROLE-TYPE, ROLE-NAME
    (another family's word for one of the roles, given as `role`), ROLE, MISSING-CONTENT, CONTENT-TYPE, EMPTY-CONTENT,
    UNKNOWN-FIELD, FIRST-TURN, ROLE-ORDER and SYSTEM-POSITION. Those about one turn are given its number as `turn`.
    """

    prefix: str
    role_key: str
    asks: str
    answers: str
    last: str
    last_turn: str
    system: str | None = None

    def problems(self, row: Mapping[str, Any]) -> Iterator[Problem]:
        """Everything wrong with the row's ``messages``."""
        if "messages" not in row:
            yield Problem(f"{self.prefix}-MISSING-MESSAGES", "", {"field": "messages", "found": fields_of(row)})
            return
        turns = row["messages"]
        if not isinstance(turns, list):
            found = {"field": "messages", "found": shown(turns)}
            yield Problem(f"{self.prefix}-MESSAGES-TYPE", "/messages", found, excerpt(turns))
            return
        if not turns:
            yield Problem(f"{self.prefix}-EMPTY-MESSAGES", "/messages", {"field": "messages", "found": "[]"})
            return
        for index, turn in enumerate(turns):
            if not self._sound(turn):
                yield from self._turn(turn, index)
        roles = tuple(map(self._role_of, turns))
        if roles != self._right_roles(len(roles)):
            yield from self._order(roles)

    def meant(self, role: str) -> str | None:
        """The role that a name stands for: its own, in another spelling, or another family's word; None if no role."""
        name = role.strip().lower()
        if name in self._roles:
            return name
        if name in INSTRUCTING:
            return self.system
        return self.asks if name in ASKING else self.answers if name in ANSWERING else None

    def measure(self, dialogues: Sequence[Sequence[Any]], said: Sequence[str] | None = None) -> Batch | list[int]:
        """The columns of rows that have nothing but ``messages``, or the positions of those that need a closer look.

        Typed turns have the attributes `role` and `content`, whatever their JSON names are. `said` are the texts of
        all turns in order, for formats whose `content` may be something else than a text.
        """
        roles = [turn.role for turns in dialogues for turn in turns]
        texts = [turn.content for turns in dialogues for turn in turns] if said is None else said
        counts = list(map(len, dialogues))
        right = {count: self._right_roles(count) for count in set(counts)}
        expected = [role for count in counts for role in right[count]]
        if roles != expected or not all(right.values()) or blanks(texts):
            return self._doubtful(counts, roles, texts)

        sizes, turns_of = lengths(texts), np.array(counts, np.int32)
        last = np.cumsum(turns_of) - 1
        ends = last.tolist()
        whole = per_row(sizes, turns_of)
        learned = self.last == self.answers
        answer = sizes[last] if learned else np.zeros(len(counts), np.int32)
        return Batch(
            keys=1 + 2 * turns_of,
            hashed=[texts[end - 1 if learned else end] for end in ends],
            prompt=whole - answer,
            answer=answer,
            fields=self._by_role(sizes, turns_of, last),
            answers=[texts[end] for end in ends] if learned else None,
            turns=turns_of,
        )

    @cached_property
    def _roles(self) -> tuple[str, ...]:
        return (self.asks, self.answers) if self.system is None else (self.system, self.asks, self.answers)

    def _role_of(self, turn: Any) -> str | None:
        """The role that a turn is meant to have, so that one misnamed turn has no findings about order as well."""
        role = turn.get(self.role_key) if isinstance(turn, dict) else None
        return role if role in self._roles else self.meant(role) if isinstance(role, str) else None

    def _sound(self, turn: Any) -> bool:
        """Whether `_turn` has nothing to say about a turn: most have no fault, even in rows that have one."""
        if not isinstance(turn, dict) or len(turn) != 2 or turn.get(self.role_key) not in self._roles:
            return False
        content = turn.get("content")
        return isinstance(content, str) and not blank(content)

    def _turn(self, turn: Any, index: int) -> Iterator[Problem]:
        at, number = f"/messages/{index}", index + 1
        if not isinstance(turn, dict):
            yield Problem(f"{self.prefix}-TURN-TYPE", at, {"turn": number, "found": shown(turn)}, excerpt(turn))
            return
        yield from self._role(turn, at, number)
        codes = (f"{self.prefix}-{suffix}" for suffix in ("MISSING-CONTENT", "CONTENT-TYPE", "EMPTY-CONTENT"))
        for problem in text_field(turn, "content", at, *codes):
            yield problem._replace(values={"turn": number, **problem.values})
        yield from unknown_fields(turn, frozenset({self.role_key, "content"}), at, f"{self.prefix}-UNKNOWN-FIELD")

    def _role(self, turn: Mapping[str, Any], at: str, number: int) -> Iterator[Problem]:
        if self.role_key not in turn:
            missing: Values = {"turn": number, "field": self.role_key, "found": fields_of(turn)}
            yield Problem(f"{self.prefix}-MISSING-ROLE", at, missing)
            return
        role = turn[self.role_key]
        values: Values = {"turn": number, "field": self.role_key, "found": shown(role)}
        pointer = f"{at}/{self.role_key}"
        if not isinstance(role, str):
            yield Problem(f"{self.prefix}-ROLE-TYPE", pointer, values, excerpt(role))
        elif role not in self._roles:
            meant = self.meant(role)
            if meant is None:
                yield Problem(f"{self.prefix}-ROLE", pointer, values, excerpt(role))
            else:
                yield Problem(f"{self.prefix}-ROLE-NAME", pointer, {**values, "role": meant}, excerpt(role))

    def _order(self, roles: Sequence[str | None]) -> Iterator[Problem]:
        """Order among the turns whose role is known; the others have their own finding already."""
        for index, role in enumerate(roles):
            if role is not None and role == self.system and index > 0:
                yield self._misplaced("SYSTEM-POSITION", index, role)
        spoken = [(index, role) for index, role in enumerate(roles) if role is None or role != self.system]
        if not spoken:
            yield Problem(self.last_turn, "/messages", {"turn": len(roles), "found": shown(self.system)})
            return
        if spoken[0][1] == self.answers:
            yield self._misplaced("FIRST-TURN", *spoken[0])
        for (_, before), (index, role) in pairwise(spoken):
            if role is not None and role == before:
                yield self._misplaced("ROLE-ORDER", index, role)
        index, role = spoken[-1]
        if role is not None and role != self.last:
            yield Problem(self.last_turn, f"/messages/{index}", {"turn": index + 1, "found": shown(role)})

    def _misplaced(self, suffix: str, index: int, role: str | None) -> Problem:
        values: Values = {"turn": index + 1, "found": shown(role)}
        return Problem(f"{self.prefix}-{suffix}", f"/messages/{index}", values)

    def _right_roles(self, count: int) -> tuple[str, ...]:
        """The only roles that `count` turns can rightly have; empty when there are none.

        Since two roles alternate between a given first and a given last, an odd turn out can only be the system's.
        """
        pair = (self.asks, self.answers)
        odd_out = count % 2 != (self.last == self.asks)
        if not odd_out:
            return (pair * (count // 2 + 1))[:count]
        if self.system is None or count < 2:
            return ()
        return (self.system, *(pair * (count // 2))[: count - 1])

    def _doubtful(self, counts: Sequence[int], roles: Sequence[str], texts: Sequence[str]) -> list[int]:
        found, start = [], 0
        for at, count in enumerate(counts):
            stop = start + count
            right = count and tuple(roles[start:stop]) == self._right_roles(count)
            if not right or any(map(blank, texts[start:stop])):
                found.append(at)
            start = stop
        return found

    def _by_role(
        self, sizes: NDArray[np.int32], counts: NDArray[np.int32], last: NDArray[np.integer[Any]]
    ) -> dict[str, NDArray[np.int32]]:
        """The characters of every turn by who speaks."""
        before_last = np.repeat(last, counts) - np.arange(len(sizes))
        lasts = before_last % 2 == 0
        other = self.answers if self.last == self.asks else self.asks
        if self.system is None:
            return {self.last: sizes[lasts], other: sizes[~lasts]}
        odd_out = counts % 2 != (self.last == self.asks)
        system = np.zeros(len(sizes), bool)
        system[(last - counts + 1)[odd_out]] = True
        return {self.system: sizes[system], self.last: sizes[lasts & ~system], other: sizes[~lasts & ~system]}
