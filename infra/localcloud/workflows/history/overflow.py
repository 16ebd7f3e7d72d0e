"""What is left of step entries beyond a history's limit: how often each step ran, and which came after which."""

from __future__ import annotations

import json
from typing import Any

from ..language.syntax import Step
from ..running.observer import Entry, Kind

# Entries that a place has a number for; all iterations are one place, and so are all attempts.
_NUMBERED = frozenset({id(Kind.CONDITION), id(Kind.PARALLEL_BRANCH_ENTRY)})


class _Place:
    """Entries of one kind of one step. `after` says how often which step followed on these."""

    __slots__ = ("after", "failed", "name", "runs")

    def __init__(self, routine: str, step: Step, kind: Kind, part: int | None) -> None:
        self.name = routine, step.name, kind.value, part
        self.runs = 0
        self.failed = 0
        self.after: dict[_Place, int] = {}


class Overflow:
    """Counts the entries of one execution that are not kept one by one: quickly, since loops have most of them."""

    __slots__ = ("_parts", "_steps")

    def __init__(self) -> None:
        # By the identities of step and kind: hashing what they hold would take longer than all the rest.
        self._steps: dict[int, _Place] = {}
        self._parts: dict[tuple[int, int, int | None], _Place] = {}

    def began(self, entry: Entry) -> None:
        """A step comes after the one before it."""
        if entry.before is not None:
            self._follow(self._place(entry), entry.before)

    def ended(self, entry: Entry, *, failed: bool) -> None:
        """One more run, and whether it failed."""
        place = self._place(entry)
        place.runs += 1
        place.failed += failed

    def passed(self, routine: str, step: Step, kind: Kind, part: int | None, before: Step | None) -> None:
        """A simple step was run after another of its block, or a part of one."""
        place = self._of_step(routine, step, kind) if part is None else self._of_part(routine, step, kind, part)
        place.runs += 1
        if before is not None:
            self._follow(place, before)

    def text(self) -> str:
        """JSON: `runs` as [place, runs, failed], `ways` as [place, place, times].

        A place is [routine, step, kind, number of the condition or branch].
        """
        places = [*self._steps.values(), *self._parts.values()]
        runs: list[Any] = [[place.name, place.runs, place.failed] for place in places if place.runs]
        ways: list[Any] = [[place.name, other.name, times] for place in places for other, times in place.after.items()]
        return json.dumps({"runs": runs, "ways": ways})

    def _place(self, entry: Entry) -> _Place:
        if entry.action is entry.step.action:
            return self._of_step(entry.routine, entry.step, entry.kind)
        part = entry.index if id(entry.kind) in _NUMBERED else None
        return self._of_part(entry.routine, entry.step, entry.kind, part)

    def _of_step(self, routine: str, step: Step, kind: Kind) -> _Place:
        place = self._steps.get(id(step))
        if place is None:
            place = self._steps[id(step)] = _Place(routine, step, kind, None)
        return place

    def _of_part(self, routine: str, step: Step, kind: Kind, part: int | None) -> _Place:
        key = id(step), id(kind), part
        place = self._parts.get(key)
        if place is None:
            place = self._parts[key] = _Place(routine, step, kind, part)
        return place

    def _follow(self, place: _Place, before: Step) -> None:
        earlier = self._steps.get(id(before))
        if earlier is not None:  # else it ran last when entries were still kept
            earlier.after[place] = earlier.after.get(place, 0) + 1
