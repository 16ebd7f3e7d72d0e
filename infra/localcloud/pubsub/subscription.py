"""One subscription at work: leases, acknowledgement, retries, and the decision to give a message up."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from localcloud.clock import Clock
from localcloud.http import GoogleError

from .backlog import Backlog, Consumer, Entry
from .resources import Backoff, Settings
from .store import Store, StoredMessage

RESPONSE_BYTES = 2_000_000  # well below the 4 MiB that a client's plain channel receives; one larger message goes alone
MAX_DEADLINE_SECONDS = 600
PUSH_BACKOFF = Backoff(0.1, 60.0)  # of the service, for push without a retry policy
_ACK_ID = re.compile(r"([1-9a-f][0-9a-f]{0,14})-([1-9a-f][0-9a-f]{0,14})")


class Delivery(NamedTuple):
    """A message on its way to a consumer; `attempt` is 0 without a dead-letter policy, as on the wire."""

    ack_id: str
    body: bytes
    attempt: int


class Subscription:
    """Hands out messages under leases and takes them back when the lease ends without an acknowledgement."""

    def __init__(
        self,
        number: int,
        name: str,
        settings: Settings,
        store: Store,
        clock: Clock,
        give_up: Callable[[Subscription, Entry], bool],
        *,
        empty: bool,
    ) -> None:
        """`give_up` moves a message to the dead letters and says whether it could."""
        self.number = number
        self.name = name
        self.settings = settings
        self._store = store
        self._clock = clock
        self._give_up = give_up
        self._backlog = Backlog(store, number, empty=empty)
        self._consumers: dict[Consumer, None] = {}
        # Not from 1, so that an ack id from before a restart is nobody's lease now.
        self._leases = itertools.count(random.getrandbits(40) + 1)
        self._leased = 0
        self._deadlines: list[tuple[float, int, int]] = []  # (deadline, message, lease); some outdated
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0
        self._ended: GoogleError | None = None

    def arrive(self, messages: Iterable[StoredMessage]) -> None:
        """Deliver new messages, which the store has already."""
        for message in messages:
            self._backlog.arrive(message)
        self._wake_consumers()

    def attach(self, consumer: Consumer) -> None:
        """Let `consumer` wait for messages. FAILED_PRECONDITION or NOT_FOUND when the subscription has ended."""
        if self._ended is not None:
            raise self._ended
        self._consumers[consumer] = None

    def detach(self, consumer: Consumer) -> None:
        """Stop waking `consumer`; what it was sent stays leased until the ack deadline."""
        self._consumers.pop(consumer, None)

    async def deliveries(
        self, consumer: Consumer, limit: int, also: Callable[[], bool] = lambda: False
    ) -> list[Delivery]:
        """At least one message for an attached consumer, waiting for it; empty once the consumer is closed.

        Empty too when it is woken and `also` is true: there is something else to do. Raises the reason when the
        subscription ends meanwhile.
        """
        while True:
            if self._ended is not None:
                raise self._ended
            consumer.wake.clear()
            if consumer.closed:
                return []
            if (found := self.take(consumer, limit)) or also():
                return found
            await consumer.wake.wait()

    def take(self, consumer: Consumer, limit: int) -> list[Delivery]:
        """What can be delivered now, up to `limit` messages; they are leased to `consumer`."""
        now = self._clock.now()
        lease_seconds = consumer.lease_seconds or self.settings.ack_deadline_seconds
        deliveries: list[Delivery] = []
        room = RESPONSE_BYTES
        while len(deliveries) < limit and consumer.has_room():
            entry = self._backlog.pop(consumer, max_bytes=room if deliveries else 1 << 62)
            if entry is None:
                break
            if entry.published + self.settings.retention_seconds <= now:
                self._discard(entry)
                continue
            room -= entry.size
            deliveries.append(self._lease(entry, consumer, now + lease_seconds))
        if deliveries:
            self._rearm()
        return deliveries

    def acknowledge(self, ack_ids: Sequence[str]) -> list[str]:
        """Forget these messages. Returns the ids that are refused, which only exactly-once delivery does.

        Without it a late acknowledgement counts as long as the message is there, whoever holds it now.
        INVALID_ARGUMENT for an id that this service cannot have given out.
        """
        parsed = [_parse(ack_id) for ack_id in ack_ids]
        refused: list[str] = []
        done: list[int] = []
        for ack_id, (number, lease) in zip(ack_ids, parsed, strict=True):
            entry = self._backlog.get(number)
            if self.settings.exactly_once and (entry is None or entry.lease != lease):
                refused.append(ack_id)
            else:
                done.append(number)
        with self._store.transaction():
            self._store.remove(self.number, done)
        for number in done:
            if (entry := self._backlog.get(number)) is not None:
                self._end_lease(entry)
                self._backlog.remove(entry)
        self._wake_consumers()
        return refused

    def modify_deadlines(self, changes: Iterable[tuple[str, int]]) -> list[str]:
        """Give each (ack id, seconds) that long from now; 0 gives the message back. Returns the refused ids.

        An outdated id has no effect; exactly-once delivery refuses it.
        """
        parsed = [(ack_id, _parse(ack_id), _checked_seconds(seconds)) for ack_id, seconds in changes]
        refused: list[str] = []
        now = self._clock.now()
        with self._store.transaction():
            for ack_id, (number, lease), seconds in parsed:
                entry = self._backlog.get(number)
                if entry is None or entry.lease != lease:
                    if self.settings.exactly_once:
                        refused.append(ack_id)
                elif seconds == 0:
                    self._fail(entry, now)
                else:
                    self._set_deadline(entry, now + seconds)
        self._rearm()
        self._wake_consumers()
        return refused

    def take_back(self, ack_ids: Iterable[str]) -> None:
        """Queue again, as if never delivered, what could not be sent."""
        for number, lease in map(_parse, ack_ids):
            entry = self._backlog.get(number)
            if entry is not None and entry.lease == lease:
                self._return(entry, None)
        self._wake_consumers()

    def forget_published_before(self, time: float) -> None:
        """Acknowledge everything older than `time`: a seek, or the end of retention."""
        with self._store.transaction():
            self._store.remove_published_before(self.number, time)
        for entry in [entry for entry in self._backlog.entries() if entry.published < time]:
            self._end_lease(entry)
            self._backlog.remove(entry)
        self._wake_consumers()

    def forget_expired(self) -> None:
        """Drop what has outlived the retention."""
        self.forget_published_before(self._clock.now() - self.settings.retention_seconds)

    @property
    def ended(self) -> bool:
        """Whether it was deleted, or the service stops."""
        return self._ended is not None

    def end(self, reason: GoogleError) -> None:
        """Deliver nothing any more; every consumer that waits gets `reason`."""
        self._ended = reason
        if self._alarm is not None:
            self._alarm.cancel()
        self._wake_consumers()

    def _lease(self, entry: Entry, consumer: Consumer, deadline: float) -> Delivery:
        body = self._backlog.take_body(entry)
        entry.lease = next(self._leases)
        entry.consumer = consumer
        consumer.outstanding_messages += 1
        consumer.outstanding_bytes += entry.size
        self._leased += 1
        self._set_deadline(entry, deadline)
        attempt = entry.failures + 1 if self.settings.dead_letters is not None else 0
        return Delivery(f"{entry.id:x}-{entry.lease:x}", body, attempt)

    def _end_lease(self, entry: Entry) -> None:
        consumer = entry.consumer
        if consumer is None:
            return
        consumer.outstanding_messages -= 1
        consumer.outstanding_bytes -= entry.size
        entry.consumer = None
        entry.lease = 0
        self._leased -= 1

    def _set_deadline(self, entry: Entry, deadline: float) -> None:
        entry.deadline = deadline
        if len(self._deadlines) > 2 * self._leased + 1000:
            self._deadlines = [
                (one.deadline, one.id, one.lease) for one in self._backlog.entries() if one.lease and one is not entry
            ]
            heapq.heapify(self._deadlines)
        heapq.heappush(self._deadlines, (deadline, entry.id, entry.lease))

    def _fail(self, entry: Entry, now: float) -> None:
        """A delivery was in vain: dead letters, or once more after the backoff."""
        self._end_lease(entry)
        entry.failures += 1
        dead_letters = self.settings.dead_letters
        if dead_letters is not None and entry.failures >= dead_letters.max_attempts and self._give_up(self, entry):
            self._backlog.remove(entry)
            return
        self._store.set_failures(entry.id, entry.failures)
        backoff = self.settings.backoff or (PUSH_BACKOFF if self.settings.push is not None else None)
        rest_seconds = backoff.seconds(entry.failures) if backoff is not None else 0.0
        self._return(entry, now + rest_seconds if rest_seconds > 0 else None)

    def _return(self, entry: Entry, until: float | None) -> None:
        self._end_lease(entry)
        for replayed in self._backlog.give_back(entry, until):
            self._end_lease(replayed)

    def _discard(self, entry: Entry) -> None:
        self._store.remove(self.number, [entry.id])
        self._backlog.remove(entry)

    def _wake_consumers(self) -> None:
        """Wake all who wait, beginning with another one each time, so that they share the work."""
        if len(self._consumers) > 1:
            first = next(iter(self._consumers))
            del self._consumers[first]
            self._consumers[first] = None
        for consumer in self._consumers:
            consumer.wake.set()

    def _rearm(self) -> None:
        """Sleep until the next lease or rest ends."""
        due = [self._deadlines[0][0]] if self._deadlines else []
        if (rest_ends := self._backlog.next_rest_ends()) is not None:
            due.append(rest_ends)
        if not due or self._ended is not None:
            return
        at = min(due)
        if self._alarm is not None:
            if self._alarm_at <= at:
                return
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = asyncio.create_task(self._ring(at))

    async def _ring(self, at: float) -> None:
        await self._clock.sleep(at - self._clock.now())
        self._alarm = None
        now = self._clock.now()
        with self._store.transaction():
            while self._deadlines and self._deadlines[0][0] <= now:
                deadline, number, lease = heapq.heappop(self._deadlines)
                entry = self._backlog.get(number)
                if entry is not None and entry.lease == lease and entry.deadline == deadline:
                    self._fail(entry, now)
        self._backlog.end_rests(now)
        self._rearm()
        self._wake_consumers()


def _parse(ack_id: str) -> tuple[int, int]:
    match = _ACK_ID.fullmatch(ack_id)
    if match is None:
        raise GoogleError("INVALID_ARGUMENT", f"invalid ack id {ack_id!r}: pass on one that a pull has returned")
    return int(match.group(1), 16), int(match.group(2), 16)


def _checked_seconds(seconds: int) -> int:
    if not 0 <= seconds <= MAX_DEADLINE_SECONDS:
        raise GoogleError("INVALID_ARGUMENT", f"an ack deadline of {seconds} s; allowed is 0 to {MAX_DEADLINE_SECONDS}")
    return seconds
