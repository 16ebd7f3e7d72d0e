"""What is left of step entries beyond a history's limit: how often each step ran, and which came after which."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from .observer import PARTS, Entry

# Routine, step, kind, number of a condition or branch.
Place = tuple[str, str, str, int | None]


class Overflow:
    """Counts the entries of one execution that are not kept one by one."""

    __slots__ = ("_latest", "_runs", "_ways")

    def __init__(self) -> None:
        self._runs: dict[Place, list[float]] = {}
        self._ways: Counter[tuple[Place, Place]] = Counter()
        self._latest: dict[Entry | None, Place] = {}

    def __bool__(self) -> bool:
        """Whether there were any."""
        return bool(self._runs)

    def began(self, entry: Entry) -> None:
        """A step comes after the one before it."""
        if entry.kind in PARTS:
            return
        place = _place(entry)
        before = self._latest.get(entry.parent)
        if before is not None:
            self._ways[before, place] += 1
        self._latest[entry.parent] = place

    def ended(self, entry: Entry, seconds: float, *, failed: bool) -> None:
        """One more run, and whether it failed."""
        self._latest.pop(entry, None)
        tally = self._runs.setdefault(_place(entry), [0, 0, 0.0])
        tally[0] += 1
        tally[1] += failed
        tally[2] += seconds

    def text(self) -> str:
        """JSON: `runs` as [place, runs, failed, seconds], `ways` as [place, place, times]."""
        runs: list[Any] = [[place, *tally] for place, tally in self._runs.items()]
        ways: list[Any] = [[*pair, count] for pair, count in self._ways.items()]
        return json.dumps({"runs": runs, "ways": ways})


def _place(entry: Entry) -> Place:
    # A kind is a string itself; asking an enum for its value takes longer than all the rest.
    return entry.routine, entry.step.name, entry.kind, entry.index
