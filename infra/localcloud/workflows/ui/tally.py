"""What step entries say about each box of a drawing: how often it ran, how it ended, which way was taken."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..history.entry_store import IN_PROGRESS, EntryRecord
from ..history.recorder import FAILED
from ..running.observer import PARTS, Kind
from .graph import Key

CANCELLED = "STATE_CANCELLED"


@dataclass
class Tally:
    """How often a box was run, failed, was cancelled, is under way, and the seconds of all runs together."""

    runs: int = 0
    failed: int = 0
    cancelled: int = 0
    open: int = 0
    seconds: float = 0.0

    @property
    def state(self) -> str:
        """One word for a style: what is worst and latest matters most."""
        for word, count in (("failed", self.failed), ("open", self.open), ("cancelled", self.cancelled)):
            if count:
                return word
        return "ran" if self.runs else "idle"


@dataclass(frozen=True)
class Tallies:
    """Tallies by box and section, and how often one step came after another."""

    of: dict[Key, Tally] = field(default_factory=dict)
    ways: Counter[tuple[Key, Key]] = field(default_factory=Counter)

    def at(self, key: Key | None) -> Tally:
        """The tally of a box or section; an empty one when it was never run."""
        return self.of.get(key, Tally()) if key is not None else Tally()

    def of_line(self, keys: Iterable[Key]) -> int:
        """How often the steps of a source line were run."""
        return max((self.at(key).runs for key in keys), default=0)


def tallies(entries: Sequence[EntryRecord], now: float, overflow: str | None = None) -> Tallies:
    """Tallies of an execution's entries and of those beyond the limit; what is under way has lasted until `now`."""
    found = Tallies()
    latest: dict[tuple[int, str], Key] = {}
    for entry in entries:
        key = key_of(entry)
        tally = found.of.setdefault(key, Tally())
        tally.runs += 1
        tally.failed += entry.state == FAILED
        tally.cancelled += entry.state == CANCELLED
        tally.open += entry.state == IN_PROGRESS
        tally.seconds += (now if entry.state == IN_PROGRESS else entry.updated) - entry.created
        if entry.kind not in PARTS:
            line = (entry.parent, entry.key.rpartition("/")[0])
            if line in latest:
                found.ways[latest[line], key] += 1
            latest[line] = key
    if overflow is not None:
        _add_overflow(found, json.loads(overflow))
    return found


def _add_overflow(found: Tallies, counts: Mapping[str, Any]) -> None:
    for place, runs, failed in counts["runs"]:
        tally = found.of.setdefault(_key(*place), Tally())
        tally.runs += runs
        tally.failed += failed
    for before, after, times in counts["ways"]:
        found.ways[_key(*before), _key(*after)] += times


def key_of(entry: EntryRecord) -> Key:
    """The box or section that an entry belongs to."""
    return _key(entry.routine, entry.step, entry.kind, entry.part)


def _key(routine: str, step: str, kind: str, part: int | None) -> Key:
    # All iterations share a section, and so do all attempts.
    if kind == Kind.RETRY:
        return Key(routine, step, Kind.TRY.value)
    numbered = kind in (Kind.CONDITION, Kind.PARALLEL_BRANCH_ENTRY)
    return Key(routine, step, kind, part if numbered else None)
