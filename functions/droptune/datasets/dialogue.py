"""The rules of a list of turns with one text each: ``{"author"|"role": …, "content": "…"}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .fields import excerpt, shown, text_field, unknown_fields
from .rowformat import Problem


@dataclass(frozen=True)
class Dialogue:
    """How a format names its turns.

    `asks` and `answers` are the two roles that alternate. `prefix` begins the codes of its findings; `last_turn` is
    the code for a list that does not end with `last`. `system` may stand first, once.
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
            yield Problem(f"{self.prefix}-MISSING-MESSAGES", "", found="no `messages`")
            return
        turns = row["messages"]
        if not isinstance(turns, list):
            yield Problem(f"{self.prefix}-MESSAGES-TYPE", "/messages", found=shown(turns), excerpt=excerpt(turns))
            return
        if not turns:
            yield Problem(f"{self.prefix}-EMPTY-MESSAGES", "/messages", found="an empty list")
            return
        roles: list[str | None] = []
        for index, turn in enumerate(turns):
            role: str | None = None
            yield from self._turn(turn, f"/messages/{index}")
            if isinstance(turn, dict) and isinstance(turn.get(self.role_key), str):
                role = turn[self.role_key]
            roles.append(role)
        yield from self._order(roles)

    def _turn(self, turn: Any, at: str) -> Iterator[Problem]:
        if not isinstance(turn, dict):
            yield Problem(f"{self.prefix}-TURN-TYPE", at, found=shown(turn), excerpt=excerpt(turn))
            return
        if self.role_key not in turn:
            yield Problem(f"{self.prefix}-MISSING-ROLE", at, found=f"no `{self.role_key}`")
        elif turn[self.role_key] not in self._roles:
            yield Problem(f"{self.prefix}-ROLE", f"{at}/{self.role_key}", found=shown(turn[self.role_key]))
        codes = (f"{self.prefix}-{suffix}" for suffix in ("MISSING-CONTENT", "CONTENT-TYPE", "EMPTY-CONTENT"))
        yield from text_field(turn, "content", at, *codes)
        yield from unknown_fields(turn, frozenset({self.role_key, "content"}), at, f"{self.prefix}-UNKNOWN-FIELD")

    @property
    def _roles(self) -> tuple[str, ...]:
        return (self.asks, self.answers) if self.system is None else (self.system, self.asks, self.answers)

    def _order(self, roles: Sequence[str | None]) -> Iterator[Problem]:
        """Order among the turns whose role is known; the others have their own finding already."""
        start = 1 if self.system is not None and roles[0] == self.system else 0
        for index, role in enumerate(roles):
            if self.system is not None and role == self.system and index > 0:
                yield Problem(f"{self.prefix}-SYSTEM-POSITION", f"/messages/{index}", found=f"turn {index + 1}")
        if len(roles) <= start:
            yield Problem(self.last_turn, "/messages", found="no turn but the system's")
            return
        if roles[start] == self.answers:
            yield Problem(f"{self.prefix}-FIRST-TURN", f"/messages/{start}", found=shown(roles[start]))
        for index in range(start + 1, len(roles)):
            if roles[index] == roles[index - 1] and roles[index] in (self.asks, self.answers):
                found = f"{shown(roles[index])} twice in a row"
                yield Problem(f"{self.prefix}-ROLE-ORDER", f"/messages/{index}", found=found)
        if roles[-1] in (self.asks, self.answers) and roles[-1] != self.last:
            yield Problem(self.last_turn, f"/messages/{len(roles) - 1}", found=shown(roles[-1]))

    def sound(self, turns: Sequence[tuple[str, str]]) -> bool:
        """Whether (role, content) pairs of known roles break none of the rules above."""
        if not turns:
            return False
        start = 1 if self.system is not None and turns[0][0] == self.system else 0
        expected = self.asks
        for role, content in turns[start:]:
            if role != expected or not content or content.isspace():
                return False
            expected = self.answers if expected == self.asks else self.asks
        if start and (not turns[0][1] or turns[0][1].isspace()):
            return False
        return len(turns) > start and turns[-1][0] == self.last
