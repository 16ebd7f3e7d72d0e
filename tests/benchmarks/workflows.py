"""The numbers of the local Workflows, each as a ratio to a peer or to what was promised, taken in one run.

Run by hand: ``python tests/benchmarks/workflows.py [--peer PYTHON] [--waiting 10000] [--kills 0]``.

PYTHON is the interpreter of an environment with ``pip install workflows-emulator``, which runs the same loop; without
it the comparison is left out. ``--kills 50`` kills the service at that many random moments and says what was lost.
Processor time is compared, so that other work on the machine matters little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from localcloud.clock import ManualClock
from localcloud.process import free_port
from localcloud.workflows import HttpReply, HttpRequest
from localcloud.workflows.engine import Engine
from localcloud.workflows.running.http_client import RealHttpClient
from localcloud.workflows.service.store import Store

sys.path.insert(0, str(Path(__file__).parent.parent / "localcloud" / "workflows"))
from workflows_kills import run_with_kills
from workflows_service import PARENT, Service, create, deploy, request

ROUNDS = 10_000
# init, loop, done, two steps a round, and one more in every other round.
LOOP_STEPS = 3 + 2 * ROUNDS + ROUNDS // 2
LOOP = f"""
main:
  steps:
    - init: {{assign: [{{total: 0}}, {{odd: 0}}]}}
    - loop:
        for:
          value: i
          range: [1, {ROUNDS}]
          steps:
            - add: {{assign: [{{total: "${{total + i}}"}}]}}
            - choose:
                switch:
                  - condition: ${{i % 2 == 1}}
                    steps:
                      - count: {{assign: [{{odd: "${{odd + 1}}"}}]}}
    - done: {{return: ["${{total}}", "${{odd}}"]}}
"""
LOOP_RESULT = [ROUNDS * (ROUNDS + 1) // 2, ROUNDS // 2]
# What the peer's interpreter runs: the loop from standard input, timed as ours is.
PEER_PROGRAM = """
import json, logging, sys, time, yaml
from workflows_emulator.main import execute_workflow
logging.disable(logging.CRITICAL)
config = yaml.safe_load(sys.stdin.read())
started = time.process_time()
result = execute_workflow(config, {})
print(json.dumps([time.process_time() - started, result]))
"""
NEVER = "http://127.0.0.1:9/"  # nothing listens there
WAITING = {
    "sleep": "- a: {call: sys.sleep, args: {seconds: 36000}}\n- b: {return: done}",
    "callback": """
- a: {call: events.create_callback_endpoint, args: {http_callback_method: POST}, result: c}
- b: {call: events.await_callback, args: {callback: "${c}", timeout: 36000}, result: r}
""",
    "retry": f"""
- a:
    try: {{call: http.get, args: {{url: "{NEVER}"}}}}
    retry:
      predicate: ${{http.default_retry_predicate}}
      max_retries: 5
      backoff: {{initial_delay: 36000, max_delay: 36000, multiplier: 1}}
""",
    "parallel": """
- s: {assign: [{t: 0}]}
- p:
    parallel:
      shared: [t]
      branches:
        - one: {steps: [{a: {call: sys.sleep, args: {seconds: 36000}}}, {b: {assign: [{t: "${t + 1}"}]}}]}
        - two: {steps: [{c: {call: sys.sleep, args: {seconds: 36000}}}, {d: {assign: [{t: "${t + 1}"}]}}]}
""",
}


class Row(NamedTuple):
    """One figure: what was measured, what was promised, and how they compare."""

    name: str
    measured: str
    promised: str
    ratio: str


# --- in process


async def loop_seconds(*, history: bool) -> float:
    """Processor seconds of one run of the loop: with step history as in the service, without it as in `run_source`."""
    engine = Engine(Store(None), ManualClock(), RealHttpClient(), history=history)
    engine.definitions.create(PARENT, "loop", {"sourceContents": LOOP})
    started = time.process_time()
    record = engine.executions.create(f"{PARENT}/workflows/loop", None)
    record = await engine.executions.wait(record.name)
    seconds = time.process_time() - started
    assert json.loads(record.result or "null") == LOOP_RESULT, record
    return seconds


def peer_seconds(python: str) -> float:
    """Processor seconds of the peer for the same loop."""
    done = subprocess.run(
        [python, "-c", PEER_PROGRAM], input=LOOP, capture_output=True, text=True, check=True, timeout=300
    )
    seconds, result = json.loads(done.stdout)
    assert result == LOOP_RESULT, result
    return float(seconds)


def steps(peer: str | None) -> list[Row]:
    """Steps per second on one core, and the ratio to the peer, which keeps no history; best of three, in turns."""
    plain, kept, theirs = [], [], []
    for _ in range(3):
        plain.append(LOOP_STEPS / asyncio.run(loop_seconds(history=False)))
        kept.append(LOOP_STEPS / asyncio.run(loop_seconds(history=True)))
        if peer is not None:
            theirs.append(LOOP_STEPS / peer_seconds(peer))
    rows = [
        Row("steps/s, loop of assign and switch (run_source)", f"{max(plain):,.0f}", ">= 20,000", _times(plain, [2e4])),
        Row("steps/s, the same with step history (service)", f"{max(kept):,.0f}", ">= 20,000", _times(kept, [2e4])),
    ]
    if not theirs:
        return [*rows, Row("steps/s, workflows-emulator", "left out: no --peer PYTHON", "-", "-")]
    return [
        *rows,
        Row("steps/s, workflows-emulator", f"{max(theirs):,.0f}", "-", "-"),
        Row("ratio to it (run_source)", "", ">= 20x", _times(plain, theirs)),
        Row("ratio to it with step history (service)", "", "-", _times(kept, theirs)),
    ]


def _times(ours: list[float], theirs: list[float]) -> str:
    return f"{max(ours) / max(theirs):.1f}x"


async def driven_sleepers(folder: Path, count: int) -> float:
    """Seconds for `count` executions that sleep an hour of driven time."""
    clock, store = ManualClock(), Store(folder / "sleepers.sqlite3")
    engine = Engine(store, clock, RealHttpClient())
    engine.definitions.create(
        PARENT, "w", {"sourceContents": "- a: {call: sys.sleep, args: {seconds: 3600}}\n- b: {return: done}"}
    )
    started = time.perf_counter()
    names = [engine.executions.create(f"{PARENT}/workflows/w", None).name for _ in range(count)]
    await clock.advance(3600)
    assert all(engine.executions.get(name).state == "SUCCEEDED" for name in names)
    seconds = time.perf_counter() - started
    store.close()
    return seconds


POLLS = 1000
POLLING = f"""
- loop:
    for:
      value: i
      range: [1, {POLLS}]
      steps:
        - ask: {{call: http.get, args: {{url: "http://api.test/job"}}, result: job}}
        - wait: {{call: sys.sleep, args: {{seconds: 60}}}}
- end_of_polls: {{call: sys.sleep, args: {{seconds: 36000}}}}
"""


class _Job:
    """Answers a poll with 200 bytes of JSON."""

    async def send(self, request: HttpRequest) -> HttpReply:
        return HttpReply(200, {"Content-Type": "application/json"}, json.dumps({"state": "x" * 188}).encode())


async def polling(folder: Path) -> list[Row]:
    """What a long wait with polls leaves in the file, and what replaying it takes."""
    path = folder / "polling.sqlite3"
    clock, store = ManualClock(), Store(path)
    empty = path.stat().st_size
    engine = Engine(store, clock, _Job())
    engine.definitions.create(PARENT, "w", {"sourceContents": POLLING})
    name = engine.executions.create(f"{PARENT}/workflows/w", None).name
    await clock.advance(60 * POLLS + 1)
    await engine.executions.close()
    store.close()
    size = path.stat().st_size - empty
    store = Store(path)
    engine = Engine(store, clock, _Job())
    started = time.perf_counter()
    engine.executions.resume()
    await clock.advance(0)
    assert engine.executions.current_steps(name) == [{"routine": "main", "step": "end_of_polls"}]
    seconds = time.perf_counter() - started
    await engine.executions.close()
    store.close()
    return [
        Row("bytes on disk per poll (a call answered with 200 bytes, a sleep)", f"{size / POLLS:,.0f}", "-", "-"),
        Row(f"ms to resume an execution after {POLLS:,} polls", f"{seconds * 1000:.0f}", "-", "-"),
    ]


# --- over REST


class _Arrivals(BaseHTTPRequestHandler):
    """Notes when a first step's call arrives."""

    protocol_version = "HTTP/1.1"
    moments: list[float]

    def do_GET(self) -> None:
        self.moments.append(time.perf_counter())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


def first_step(service: Service, times: int = 200) -> Row:
    """Milliseconds from the request that creates an execution to the arrival of its first step's own request."""
    _Arrivals.moments = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Arrivals)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    connection = service.connection()
    deploy(connection, "first", f'- a: {{call: http.get, args: {{url: "http://127.0.0.1:{server.server_port}/"}}}}')
    milliseconds = []
    for number in range(times):
        started = time.perf_counter()
        create(connection, "first")
        while len(_Arrivals.moments) == number:
            time.sleep(0.0002)
        milliseconds.append((_Arrivals.moments[number] - started) * 1000)
    server.shutdown()
    server.server_close()
    median = statistics.median(milliseconds)
    return Row("ms from create to the first step's call (REST, median)", f"{median:.1f}", "<= 5", f"{5 / median:.1f}x")


def requests_per_second(service: Service, count: int = 1000) -> list[Row]:
    """Creates and gets, one after the other over one connection."""
    connection = service.connection()
    deploy(connection, "short", "- a: {return: 1}")

    def rate(one: Callable[[], object]) -> float:
        started = time.perf_counter()
        for _ in range(count):
            one()
        return count / (time.perf_counter() - started)

    created = rate(lambda: create(connection, "short"))
    name = create(connection, "short")
    read = rate(lambda: request(connection, "GET", name))
    return [
        Row("executions created and run per second (REST)", f"{created:,.0f}", "-", "-"),
        Row("executions read per second (REST)", f"{read:,.0f}", "-", "-"),
    ]


def waiting(count: int) -> list[Row]:
    """Memory and disk of `count` waiting executions, and what a restart with them takes."""
    with tempfile.TemporaryDirectory() as folder:
        data, port = Path(folder), free_port()
        service = Service(data, port)
        empty_mb = service.resident_mb()
        connection = service.connection()
        for kind, source in WAITING.items():
            deploy(connection, kind, source)
        name = ""
        for number in range(count):
            name = create(connection, list(WAITING)[number % len(WAITING)])
        time.sleep(1)
        full_mb = service.resident_mb()
        disk_mb = sum(path.stat().st_size for path in data.glob("workflows.sqlite3*")) / 1e6
        service.kill()

        service = Service(data, port)
        connection = service.connection()
        slowest, resumed = 0.0, False
        started = time.perf_counter()
        while not resumed:
            asked = time.perf_counter()
            resumed = bool(request(connection, "GET", name).get("status"))
            slowest = max(slowest, time.perf_counter() - asked)
        resume_seconds = time.perf_counter() - started
        restarted_mb = service.resident_mb()
        service.kill()
    bytes_each = (full_mb - empty_mb) * 1e6 / count
    return [
        Row(f"MB of the service with {count:,} waiting", f"{full_mb:.0f}", "<= 200", f"{200 / full_mb:.1f}x"),
        Row("MB of the service without any", f"{empty_mb:.0f}", "-", "-"),
        Row("bytes of memory each", f"{bytes_each:,.0f}", "-", "-"),
        Row("bytes on disk each", f"{disk_mb * 1e6 / count:,.0f}", "-", "-"),
        Row("s until a restarted service answers", f"{service.start_seconds:.1f}", "-", "-"),
        Row("s from then until all are resumed", f"{resume_seconds:.1f}", "-", "-"),
        Row("ms of the slowest answer meanwhile", f"{slowest * 1000:.0f}", "-", "-"),
        Row("MB of the restarted service", f"{restarted_mb:.0f}", "<= 200", f"{200 / restarted_mb:.1f}x"),
    ]


def killed(kills: int) -> list[Row]:
    """What SIGKILL at random moments loses: nothing."""
    with tempfile.TemporaryDirectory() as folder:
        data, port = Path(folder), free_port()
        services: list[Service] = []

        def start() -> Service:
            services.append(Service(data, port))
            return services[-1]

        try:
            report = run_with_kills(start, kills, seed=1)
        finally:
            services[-1].kill()
    for problem in report.problems:
        print(problem)
    name = f"of {report.executions} executions lost or different after {kills} kills"
    return [
        Row(name, str(len(report.problems)), "0", "-"),
        Row("calls made again after a kill", str(report.repeated_calls), "at least once", "-"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter that has workflows-emulator")
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=0)
    arguments = parser.parse_args()
    show(steps(arguments.peer))
    with tempfile.TemporaryDirectory() as folder:
        seconds = asyncio.run(driven_sleepers(Path(folder), 1000))
        show([Row("s for 1,000 executions that sleep a driven hour", f"{seconds:.1f}", "seconds", "-")])
        show(asyncio.run(polling(Path(folder))))
        service = Service(Path(folder), free_port())
        show([first_step(service), *requests_per_second(service)])
        service.kill()
    show(waiting(arguments.waiting))
    if arguments.kills:
        show(killed(arguments.kills))


def show(rows: list[Row]) -> None:
    """Print figures."""
    for row in rows:
        print(f"{row.name:62}{row.measured:>28}{row.promised:>16}{row.ratio:>8}", flush=True)


if __name__ == "__main__":
    main()
