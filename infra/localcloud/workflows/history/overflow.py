"""What is left of step entries beyond a history's limit: how often each step ran, and which came after which."""

from __future__ import annotations

import json
from typing import Any

from ..running.observer import PARTS, Entry, Kind

# Entries that a place has a number for; all iterations are one place, and so are all attempts.
_NUMBERED = frozenset({id(Kind.CONDITION), id(Kind.PARALLEL_BRANCH_ENTRY)})
_PARTS = frozenset(map(id, PARTS))


class _Place:
    """Entries of one kind of one step. `after` says how often which step followed on these."""

    __slots__ = ("after", "failed", "name", "runs")

    def __init__(self, entry: Entry, part: int | None) -> None:
        self.name = entry.routine, entry.step.name, entry.kind.value, part
        self.runs = 0
        self.failed = 0
        self.after: dict[_Place, int] = {}


class Overflow:
    """Counts the entries of one execution that are not kept one by one: quickly, since loops have most of them."""

    __slots__ = ("_latest", "_places")

    def __init__(self) -> None:
        # By the identities of step and kind: hashing what they hold would take longer than all the rest.
        self._places: dict[tuple[int, int, int | None], _Place] = {}
        self._latest: dict[Entry | None, _Place] = {}

    def began(self, entry: Entry) -> None:
        """A step comes after the one before it."""
        if id(entry.kind) in _PARTS:
            return
        place = self._place(entry)
        before = self._latest.get(entry.parent)
        if before is not None:
            before.after[place] = before.after.get(place, 0) + 1
        self._latest[entry.parent] = place

    def ended(self, entry: Entry, *, failed: bool) -> None:
        """One more run, and whether it failed."""
        self.forget(entry)
        place = self._place(entry)
        place.runs += 1
        place.failed += failed

    def forget(self, entry: Entry) -> None:
        """An entry ends that is kept after all."""
        self._latest.pop(entry, None)

    def text(self) -> str:
        """JSON: `runs` as [place, runs, failed], `ways` as [place, place, times].

        A place is [routine, step, kind, number of the condition or branch].
        """
        places = self._places.values()
        runs: list[Any] = [[place.name, place.runs, place.failed] for place in places if place.runs]
        ways: list[Any] = [[place.name, other.name, times] for place in places for other, times in place.after.items()]
        return json.dumps({"runs": runs, "ways": ways})

    def _place(self, entry: Entry) -> _Place:
        kind = id(entry.kind)
        part = entry.index if kind in _NUMBERED else None
        key = id(entry.step), kind, part
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place(entry, part)
        return place
