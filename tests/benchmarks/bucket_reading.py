"""Reading an object from a bucket: the client's stream against a bare HTTP stream of the same server.

``python tests/benchmarks/bucket_reading.py [--megabytes N] [--rounds N]``

A server in a process of its own sends the same bytes to both, without TLS and network: these are the ceilings of the
client, not download rates. Both are read in turn, so that each round gives one ratio.
"""

from __future__ import annotations

import argparse
import base64
import json
import multiprocessing
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import google_crc32c
import urllib3

from droptune.clients.storage import CloudStorage
from droptune.ports import StoredObject

BARE_BYTES = 1 << 20  # what a bare stream is fastest with
BUFFER_BYTES = 256 << 10


def serve(size: int, told: Connection) -> None:
    """Send `size` bytes with their checksum to whoever asks, for ever."""
    data = os.urandom(1 << 20) * (size >> 20)
    checksum = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\nX-Goog-Hash: crc32c={checksum}\r\n\r\n".encode()

    def answer(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                connection.sendall(head)
                connection.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        told.send(listener.getsockname()[1])
        while True:
            threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def bare(address: str) -> int:
    """As fast as the HTTP library goes: nothing is checked, nothing resumed."""
    with urllib3.PoolManager() as pool:
        response = pool.request("GET", address, preload_content=False, decode_content=False)
        total = 0
        while piece := response.read(BARE_BYTES):
            total += len(piece)
        return total


def into_buffer(reader: Any) -> int:
    """As validation reads: into one buffer, again and again."""
    buffer = bytearray(BUFFER_BYTES)
    total = 0
    while count := reader.readinto(buffer):
        total += count
    return total


def in_pieces(reader: Any) -> int:
    """As anybody else reads."""
    total = 0
    while piece := reader.read(BUFFER_BYTES):
        total += len(piece)
    return total


def streamed(objects: CloudStorage, stored: StoredObject, read: Callable[[Any], int]) -> int:
    """The object as the client gives it: one generation, checked, and resumed where it breaks off."""
    with objects.stream(stored) as reader:
        return read(reader)


class Timed(NamedTuple):
    """One reading: seconds by the clock, and of processor time."""

    seconds: float
    cpu: float


def timed(read: Callable[[], int], size: int) -> Timed:
    """How long a reading of all `size` bytes takes."""
    began, used = time.perf_counter(), time.process_time()
    assert read() == size
    return Timed(time.perf_counter() - began, time.process_time() - used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    size = arguments.megabytes << 20
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(size, there), daemon=True)
    server.start()
    address = f"http://127.0.0.1:{here.recv()}"
    os.environ["STORAGE_EMULATOR_HOST"] = address
    print(json.dumps(measure(address, size, arguments.rounds), indent=2))
    server.terminate()


def measure(address: str, size: int, rounds: int) -> dict[str, dict[str, float]]:
    """For each way of reading: the median of the rounds' ratios of speed, and processor seconds per GB."""
    objects, stored = CloudStorage("benchmark"), StoredObject("bucket", "rows.jsonl", 1, size)
    streamed(objects, stored, in_pieces)  # builds the client
    result = {}
    for read in (into_buffer, in_pieces):
        pairs = [
            (timed(partial(bare, address), size), timed(partial(streamed, objects, stored, read), size))
            for _ in range(rounds)
        ]
        result[read.__name__] = {
            "of_bare_speed": median(one.seconds / ours.seconds for one, ours in pairs),
            "of_bare_cpu": median(ours.cpu / one.cpu for one, ours in pairs),
            "cpu_seconds_per_gigabyte": median(ours.cpu * 1e9 / size for _, ours in pairs),
            "bare_cpu_seconds_per_gigabyte": median(one.cpu * 1e9 / size for one, _ in pairs),
            "bare_megabytes_per_second": median(size / 1e6 / one.seconds for one, _ in pairs),
        }
    return result


def median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 2)


if __name__ == "__main__":
    main()
