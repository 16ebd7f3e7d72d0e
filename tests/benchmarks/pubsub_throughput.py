"""Messages per second of the embedded Pub/Sub, as a ratio to the official emulator taken in the same run.

Run by hand: ``python tests/benchmarks/pubsub_throughput.py [--messages 20000] [--bytes 200]``. Prints one line per
backend: publish/s, streaming pull with acknowledgement/s, median milliseconds from one publish call to its callback
(about 10 of them are the batching delay of the publisher client), and resident memory of the server afterwards.
"""

from __future__ import annotations

import argparse
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from google.cloud import pubsub_v1

sys.path.insert(0, str(Path(__file__).parent.parent / "contract"))
from pubsub_backends import BACKENDS, NotInstalled, Started

TOPIC = "projects/bench/topics/topic"
SUBSCRIPTION = "projects/bench/subscriptions/subscription"
ROUND_TRIPS = 100
PATIENCE_SECONDS = 90  # longer than an ack deadline


class Figures(NamedTuple):
    """What one backend did."""

    published_per_second: float
    received_per_second: float
    round_trip_ms: float
    resident_mb: float


def measure(process: subprocess.Popen[str], address: str, messages: int, size: int) -> Figures:
    """Publish all, then receive and acknowledge all, then one message at a time."""
    os.environ["PUBSUB_EMULATOR_HOST"] = address
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    publisher.create_topic(name=TOPIC)
    subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC, ack_deadline_seconds=60)
    body = os.urandom(size)

    started = time.perf_counter()
    for future in [publisher.publish(TOPIC, body) for _ in range(messages)]:
        future.result(PATIENCE_SECONDS)
    published_per_second = messages / (time.perf_counter() - started)

    came: queue.SimpleQueue[tuple[str, float]] = queue.SimpleQueue()

    def take(message: Any) -> None:
        message.ack()
        came.put((message.message_id, time.perf_counter()))

    # One stream for both: the official emulator leases messages to a cancelled stream for its whole ack deadline.
    started = time.perf_counter()
    stream = subscriber.subscribe(SUBSCRIPTION, take)
    seen = {came.get(timeout=PATIENCE_SECONDS)[0]}
    while len(seen) < messages:
        seen.add(came.get(timeout=PATIENCE_SECONDS)[0])
    received_per_second = messages / (time.perf_counter() - started)

    milliseconds = []
    for _ in range(ROUND_TRIPS):
        started = time.perf_counter()
        message_id = publisher.publish(TOPIC, body).result(PATIENCE_SECONDS)
        arrivals = iter(lambda: came.get(timeout=PATIENCE_SECONDS), None)
        arrived = next(moment for number, moment in arrivals if number == message_id)
        milliseconds.append((arrived - started) * 1000)
    stream.cancel()
    stream.result(30)
    publisher.stop()
    subscriber.close()
    resident_mb = psutil.Process(process.pid).memory_info().rss / 1e6
    return Figures(published_per_second, received_per_second, statistics.median(milliseconds), resident_mb)


def run(start: Callable[[Path], Started], messages: int, size: int) -> Figures | str:
    """The figures of a backend, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            process, address = start(Path(folder))
        except NotInstalled as reason:
            return str(reason)
        try:
            return measure(process, address, messages, size)
        finally:
            process.terminate()
            process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=200)
    arguments = parser.parse_args()
    results = {name: run(start, arguments.messages, arguments.bytes) for name, start in BACKENDS.items()}
    print(f"{arguments.messages} messages of {arguments.bytes} bytes")
    print(f"{'':10}{'publish/s':>12}{'pull+ack/s':>12}{'p50 ms':>10}{'RSS MB':>10}")
    for name, figures in results.items():
        if isinstance(figures, str):
            print(f"{name:10}not measured: {figures}")
        else:
            print(f"{name:10}{figures[0]:12.0f}{figures[1]:12.0f}{figures[2]:10.1f}{figures[3]:10.0f}")
    local, official = results["local"], results["official"]
    if isinstance(local, Figures) and isinstance(official, Figures):
        ratios = [ours / theirs for ours, theirs in zip(local, official, strict=True)]
        print(f"{'ratio':10}{ratios[0]:12.2f}{ratios[1]:12.2f}{ratios[2]:10.2f}{ratios[3]:10.2f}")


if __name__ == "__main__":
    main()
