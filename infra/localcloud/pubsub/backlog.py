"""Decides which message of one subscription is delivered next.

Memory holds a window of the backlog; the rest stays in the store and is read when the window has nothing left to
deliver. Messages with an ordering key queue in a `Lane` of their own. A lane belongs to one consumer while any of its
messages is out, so that two consumers never work on one key at once.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from .store import Store, StoredMessage

WINDOW_MESSAGES = 10_000
WINDOW_BYTES = 16_000_000


@dataclass(slots=True, eq=False)
class Entry:
    """A message in memory: waiting, resting, or leased to a consumer (`lease` is then not 0)."""

    id: int
    published: float
    failures: int
    size: int
    body: bytes | None  # None: read it from the store when it is needed
    lane: Lane | None
    lease: int = 0
    deadline: float = 0.0
    consumer: Consumer | None = None
    gone: bool = False


@dataclass(slots=True, eq=False)
class Lane:
    """The messages of one ordering key, oldest first; those that are out come before those that wait."""

    key: str
    waiting: deque[Entry] = field(default_factory=deque)
    out: dict[int, Entry] = field(default_factory=dict)
    owner: Consumer | None = None
    resting_until: float | None = None
    queued: bool = False


@dataclass(slots=True, eq=False)
class Consumer:
    """One stream, one pull or one push request, with what its flow control still allows (0: no limit)."""

    max_messages: int = 0
    max_bytes: int = 0
    lease_seconds: float = 0.0  # 0: the subscription's own ack deadline
    outstanding_messages: int = 0
    outstanding_bytes: int = 0
    lanes: dict[Lane, None] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    def has_room(self) -> bool:
        """Whether one more message, however large, may be sent."""
        return (self.max_messages <= 0 or self.outstanding_messages < self.max_messages) and (
            self.max_bytes <= 0 or self.outstanding_bytes < self.max_bytes
        )


class Backlog:
    """The unacknowledged messages of one subscription."""

    def __init__(self, store: Store, subscription: int, *, empty: bool) -> None:
        """`empty` says that the store has no message of this subscription."""
        self._store = store
        self._subscription = subscription
        self._all_loaded = empty
        self._last_loaded = 0
        self._entries: dict[int, Entry] = {}
        self._ready: deque[Entry | Lane] = deque()
        self._lanes: dict[str, Lane] = {}
        self._resting: list[tuple[float, int, Entry | Lane]] = []
        self._tie = itertools.count()
        self._bodies = 0
        self._body_bytes = 0

    def __len__(self) -> int:
        """How many messages are in memory."""
        return len(self._entries)

    def get(self, number: int) -> Entry | None:
        """The message when it is in memory."""
        return self._entries.get(number)

    def entries(self) -> Iterator[Entry]:
        """Those in memory; the backlog must not change meanwhile."""
        return iter(self._entries.values())

    def arrive(self, message: StoredMessage) -> None:
        """Take in a new message, which the store has already."""
        if self._all_loaded and self._bodies < WINDOW_MESSAGES and self._body_bytes < WINDOW_BYTES:
            self._load(message)
        else:
            self._all_loaded = False

    def pop(self, consumer: Consumer, max_bytes: int) -> Entry | None:
        """The next message for `consumer`, of at most `max_bytes`; None when there is none now."""
        while True:
            for lane in list(consumer.lanes):
                entry = self._first_waiting(lane)
                if entry is None:
                    del consumer.lanes[lane]
                    self._free_if_idle(lane)
                elif entry.size > max_bytes:
                    return None
                else:
                    lane.waiting.popleft()
                    lane.out[entry.id] = entry
                    return entry
            if not self._ready and not self._load_page():
                return None
            item = self._ready[0]
            if isinstance(item, Entry):
                if not item.gone and item.size > max_bytes:
                    return None
                self._ready.popleft()
                if not item.gone:
                    return item
            else:
                self._ready.popleft()
                item.queued = False
                item.owner = consumer
                consumer.lanes[item] = None

    def take_body(self, entry: Entry) -> bytes:
        """The serialized message; memory does not keep it after this."""
        body = entry.body
        if body is None:
            return self._store.body(entry.id)
        self._drop_body(entry)
        return body

    def remove(self, entry: Entry) -> None:
        """Forget a message, wherever it is."""
        entry.gone = True
        self._drop_body(entry)
        self._entries.pop(entry.id, None)
        lane = entry.lane
        if lane is not None:
            lane.out.pop(entry.id, None)
            self._free_if_idle(lane)

    def give_back(self, entry: Entry, until: float | None) -> list[Entry]:
        """Queue a delivered message again, resting `until` then when that is given.

        Returns the later messages of its ordering key that were out: they are queued behind it again, so whoever
        holds them has lost them.
        """
        lane = entry.lane
        if lane is None:
            if until is None:
                self._ready.append(entry)
            else:
                heapq.heappush(self._resting, (until, next(self._tie), entry))
            return []
        replayed = [other for other in lane.out.values() if other.id > entry.id]
        for other in sorted([entry, *replayed], key=lambda one: one.id, reverse=True):
            del lane.out[other.id]
            lane.waiting.appendleft(other)
        if until is not None:
            lane.resting_until = max(until, lane.resting_until or until)
            heapq.heappush(self._resting, (until, next(self._tie), lane))
            if lane.owner is not None:
                lane.owner.lanes.pop(lane, None)
        self._free_if_idle(lane)
        self._offer(lane)
        return replayed

    def next_rest_ends(self) -> float | None:
        """When the first resting message is due."""
        return self._resting[0][0] if self._resting else None

    def end_rests(self, now: float) -> None:
        """Queue what has rested until `now` or before."""
        while self._resting and self._resting[0][0] <= now:
            _, _, item = heapq.heappop(self._resting)
            if isinstance(item, Entry):
                if not item.gone:
                    self._ready.append(item)
            elif item.resting_until is not None and item.resting_until <= now:
                item.resting_until = None
                self._free_if_idle(item)
                self._offer(item)

    def _load_page(self) -> bool:
        """Read on in the store; False when nothing was left there."""
        if self._all_loaded:
            return False
        loaded = loaded_bytes = 0
        for message in self._store.after(self._subscription, self._last_loaded):
            self._load(message)
            loaded += 1
            loaded_bytes += len(message.body)
            if loaded >= WINDOW_MESSAGES // 4 or loaded_bytes >= WINDOW_BYTES // 4:
                return True
        self._all_loaded = True
        return loaded > 0

    def _load(self, message: StoredMessage) -> None:
        self._last_loaded = message.id
        size = len(message.body)
        entry = Entry(message.id, message.published, message.failures, size, None, None)
        if self._bodies < WINDOW_MESSAGES and self._body_bytes < WINDOW_BYTES:
            entry.body = message.body
            self._bodies += 1
            self._body_bytes += size
        self._entries[entry.id] = entry
        if message.ordering_key:
            lane = self._lanes.setdefault(message.ordering_key, Lane(message.ordering_key))
            entry.lane = lane
            lane.waiting.append(entry)
            self._offer(lane)
        else:
            self._ready.append(entry)

    def _drop_body(self, entry: Entry) -> None:
        if entry.body is not None:
            entry.body = None
            self._bodies -= 1
            self._body_bytes -= entry.size

    def _first_waiting(self, lane: Lane) -> Entry | None:
        while lane.waiting and lane.waiting[0].gone:
            lane.waiting.popleft()
        return lane.waiting[0] if lane.waiting else None

    def _offer(self, lane: Lane) -> None:
        """Put a lane that can deliver where its next consumer finds it."""
        if lane.resting_until is not None or self._first_waiting(lane) is None:
            return
        if lane.owner is not None:
            lane.owner.lanes[lane] = None
        elif not lane.queued:
            lane.queued = True
            self._ready.append(lane)

    def _free_if_idle(self, lane: Lane) -> None:
        """A lane with nothing out belongs to nobody; one with nothing at all is forgotten."""
        if lane.out:
            return
        if lane.owner is not None:
            lane.owner.lanes.pop(lane, None)
            lane.owner = None
        if self._first_waiting(lane) is not None:
            self._offer(lane)
        elif lane.resting_until is None and self._lanes.get(lane.key) is lane:
            del self._lanes[lane.key]
