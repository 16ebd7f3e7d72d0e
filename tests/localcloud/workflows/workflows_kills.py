"""Kills a running Workflows service at random moments and says whether anything was lost, repeated or ended otherwise.

One life of the service after the other works on the same folder. In each, executions of every kind are created, some
are cancelled and callbacks are delivered; then it is killed. What was answered counts: an answered create exists, an
answered cancel stays one, an answered callback arrives. In the end every execution must have ended as its kind ends
without kills, whatever the moments were.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any, Protocol

import httpx

PARENT = "projects/p/locations/l"
PATIENCE_SECONDS = 60.0
# A life of the service lasts up to this long after it has answered for the first time.
LONGEST_LIFE_SECONDS = 0.8

# Each takes {"world": address of the helping server, "key": unique text}; its result must not depend on the key.
SOURCES: Mapping[str, str] = {
    "sequence": """
main:
  params: [args]
  steps:
    - start: {assign: [{seen: []}, {id: "${uuid.generate()}"}, {began: "${sys.now()}"}]}
    - loop:
        for:
          value: i
          range: [1, 5]
          steps:
            - wait: {call: sys.sleep, args: {seconds: "${i * 0.03}"}}
            - ask: {call: http.get, args: {url: "${args.world + \\"/echo/\\" + args.key + \\"/\\" + id}"}, result: r}
            - note: {assign: [{seen: "${list.concat(seen, r.body == id)}"}]}
    - done: {return: {seen: "${seen}", forward: "${sys.now() >= began + 0.45}"}}
""",
    "retries": """
main:
  params: [args]
  steps:
    - start: {assign: [{answers: []}]}
    - loop:
        for:
          value: i
          range: [1, 3]
          steps:
            - ask:
                try: {call: http.get, args: {url: "${args.world + \\"/flaky/\\" + args.key + string(i)}"}, result: r}
                retry:
                  predicate: ${http.default_retry_predicate}
                  max_retries: 5
                  backoff: {initial_delay: 0.05, max_delay: 0.2, multiplier: 2}
            - note: {assign: [{answers: "${list.concat(answers, r.code)}"}]}
    - done: {return: "${answers}"}
""",
    "branches": """
main:
  params: [args]
  steps:
    - start: {assign: [{total: 0}, {order: []}, {base: "${args.world + \\"/echo/\\" + args.key + \\"/\\"}"}]}
    - side_by_side:
        parallel:
          shared: [total, order]
          for:
            value: i
            range: [1, 8]
            steps:
              - wait: {call: sys.sleep, args: {seconds: "${i * 0.05}"}}
              - ask: {call: http.get, args: {url: "${base + string(i)}"}, result: r}
              - add: {assign: [{total: "${total + int(r.body)}"}, {order: "${list.concat(order, total)}"}]}
              - inner:
                  parallel:
                    shared: [total]
                    branches:
                      - one: {steps: [{add_one: {assign: [{total: "${total + 100}"}]}}]}
                      - two:
                          steps:
                            - rest: {call: sys.sleep, args: {seconds: 0.05}}
                            - add_two: {assign: [{total: "${total + 1000}"}]}
    - done: {return: {total: "${total}", all: "${len(order)}"}}
""",
    "callback": """
main:
  params: [args]
  steps:
    - create: {call: events.create_callback_endpoint, args: {http_callback_method: POST}, result: c}
    - tell: {call: http.post, args: {url: "${args.world + \\"/call\\"}", body: {url: "${c.url}"}}}
    - await: {call: events.await_callback, args: {callback: "${c}", timeout: 60}, result: got}
    - rest: {call: sys.sleep, args: {seconds: 0.2}}
    - done: {return: "${got.http_request.body}"}
""",
    "nested": """
main:
  params: [args]
  steps:
    - run: {return: "${depth(8, args.world)}"}
depth:
  params: [n, world]
  steps:
    - end_it: {switch: [{condition: "${n == 0}", return: 0}]}
    - wait: {call: sys.sleep, args: {seconds: 0.04}}
    - deeper: {call: depth, args: {n: "${n - 1}", world: "${world}"}, result: below}
    - done: {return: "${below + n}"}
""",
    "computing": """
main:
  params: [args]
  steps:
    - start: {assign: [{total: 0}]}
    - loop:
        for:
          value: i
          range: [1, 2000]
          steps:
            - add: {assign: [{total: "${total + i}"}]}
            - now_and_then: {switch: [{condition: "${i % 500 == 0}", call: sys.sleep, args: {seconds: 0.1}}]}
    - done: {return: "${total}"}
""",
    "failing": """
main:
  params: [args]
  steps:
    - attempt:
        try:
          steps:
            - wait: {call: sys.sleep, args: {seconds: 0.3}}
            - fail: {raise: {code: 7}}
        except: {as: e, steps: [{rest: {call: sys.sleep, args: {seconds: 0.3}}}, {again: {raise: "${e}"}}]}
""",
    "endless": "main: {params: [args], steps: [{wait: {call: sys.sleep, args: {seconds: 36000}}}]}",
}


class Process(Protocol):
    """A running service."""

    addresses: dict[str, str]

    def kill(self) -> None:
        """SIGKILL, and wait."""
        ...


@dataclass
class Report:
    """What happened. `problems` is empty when nothing was lost, repeated or changed."""

    kills: int = 0
    executions: int = 0
    cancelled: int = 0
    callbacks: int = 0
    repeated_calls: int = 0
    problems: list[str] = field(default_factory=list)


def run_with_kills(start: Callable[[], Process], kills: int, seed: int, each: int = 2) -> Report:
    """Kill `kills` lives of the service that `start` starts, always on the same folder and port.

    Every life creates `each` executions of each kind.
    """
    chosen = random.Random(seed)
    with _world() as world:
        trial = _Trial(world)
        service = start()
        trial.deploy(service.addresses["rest"])
        trial.learn()
        for _ in range(kills):
            working = threading.Thread(target=trial.work, args=(each, random.Random(chosen.random())))
            moment = chosen.uniform(0, LONGEST_LIFE_SECONDS)
            working.start()
            time.sleep(moment)
            service.kill()
            working.join()
            service = start()
        return trial.finish(kills)


class _World:
    """What workflows call: an echo, a server that refuses each address once, and one that calls back."""

    def __init__(self) -> None:
        self.address = ""
        self.calls: Counter[str] = Counter()
        self.to_call: SimpleQueue[str | None] = SimpleQueue()
        self.lock = threading.Lock()


@contextmanager
def _world() -> Iterator[_World]:
    world = _World()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with world.lock:
                world.calls[self.path] += 1
                refused = self.path.startswith("/flaky/") and world.calls[self.path] == 1
            time.sleep(0.01)  # so that some calls are under way at a kill
            self._answer(503 if refused else 200, self.path.rpartition("/")[2])

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                return  # killed while it was sending
            world.to_call.put(json.loads(body)["url"])
            self._answer(200, "")

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def handle(self) -> None:
            with suppress(ConnectionError):  # the service was killed while it waited
                super().handle()

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    world.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


class _Trial:
    def __init__(self, world: _World) -> None:
        self._world = world
        self._rest = ""
        self._expected: dict[str, tuple[str, Any]] = {}
        self._created: dict[str, str] = {}
        self._cancelled: set[str] = set()
        self._ended: dict[str, tuple[str, Any]] = {}
        self._delivered: Counter[str] = Counter()
        self._keys = 0
        self._calling = threading.Thread(target=self._call_back, daemon=True)

    def deploy(self, rest: str) -> None:
        """Deploy every kind."""
        self._rest = rest
        for kind, source in SOURCES.items():
            httpx.post(
                f"{rest}/v1/{PARENT}/workflows", params={"workflowId": kind}, json={"sourceContents": source}
            ).raise_for_status()
        self._calling.start()

    def learn(self) -> None:
        """How each kind ends when nobody kills the service."""
        with httpx.Client(base_url=self._rest) as client:
            names = {kind: self._create(client, kind) for kind in SOURCES if kind != "endless"}
            deadline = time.monotonic() + PATIENCE_SECONDS
            for kind, name in names.items():
                while (outcome := _outcome(client, name))[0] == "ACTIVE":
                    assert time.monotonic() < deadline, f"{kind} does not end"
                    time.sleep(0.05)
                self._expected[kind] = outcome
        self._expected["endless"] = ("CANCELLED", "execution cancelled")

    def work(self, each: int, chosen: random.Random) -> None:
        """Create, read and cancel until the service is gone."""
        kinds = [kind for kind in SOURCES for _ in range(each)]
        chosen.shuffle(kinds)
        try:
            with httpx.Client(base_url=self._rest) as client:
                for kind in kinds:
                    name = self._create(client, kind)
                    if kind == "endless" and chosen.random() < 0.5:
                        client.post(f"/v1/{name}:cancel").raise_for_status()
                        self._cancelled.add(name)
                while True:
                    for name in list(self._created):
                        if name not in self._ended and (outcome := _outcome(client, name))[0] != "ACTIVE":
                            self._ended[name] = outcome
                    time.sleep(0.02)
        except httpx.TransportError:
            return

    def finish(self, kills: int) -> Report:
        """Wait until everything has ended, and compare."""
        report = Report(kills=kills, cancelled=len(self._cancelled))
        with httpx.Client(base_url=self._rest) as client:
            listed = {name: kind for kind in SOURCES for name in _names(client, kind)}
            report.problems += [f"lost: {kind} {name}" for name, kind in self._created.items() if name not in listed]
            for name, kind in listed.items():
                if kind == "endless" and name not in self._cancelled and _outcome(client, name)[0] == "ACTIVE":
                    client.post(f"/v1/{name}:cancel").raise_for_status()
            deadline = time.monotonic() + PATIENCE_SECONDS
            for name, kind in listed.items():
                while (outcome := _outcome(client, name))[0] == "ACTIVE" and time.monotonic() < deadline:
                    time.sleep(0.05)
                if outcome != self._expected[kind]:
                    report.problems.append(f"{kind} {name}: {outcome}, expected {self._expected[kind]}")
                if outcome != self._ended.get(name, outcome):
                    report.problems.append(f"{kind} {name}: {outcome}, but it had ended as {self._ended[name]}")
        self._world.to_call.put(None)
        self._calling.join()
        report.executions = len(listed)
        report.callbacks = len(self._delivered)
        report.problems += self._calls(kills)
        needed = sum(1 if path.startswith("/echo/") else 2 for path in self._world.calls)
        report.repeated_calls = sum(self._world.calls.values()) - needed
        return report

    def _calls(self, kills: int) -> list[str]:
        # The sequence calls one address five times, since its uuid stays; a flaky address is called twice.
        found = []
        for path, count in self._world.calls.items():
            usual = 5 if path.count("/") == 3 and len(path.rpartition("/")[2]) == 36 else 1
            usual = 2 if path.startswith("/flaky/") else usual
            if not usual <= count <= usual + kills:
                found.append(f"{path} was called {count} times")
        return found

    def _create(self, client: httpx.Client, kind: str) -> str:
        self._keys += 1
        argument = json.dumps({"world": self._world.address, "key": f"k{self._keys}"})
        answer = client.post(f"/v1/{PARENT}/workflows/{kind}/executions", json={"argument": argument})
        answer.raise_for_status()
        name: str = answer.json()["name"]
        self._created[name] = kind
        return name

    def _call_back(self) -> None:
        # A callback is delivered until it is answered; 429 and 404 mean that an earlier one came through unanswered.
        while (url := self._world.to_call.get()) is not None:
            try:
                status = httpx.post(url, json="called").status_code
            except httpx.TransportError:
                time.sleep(0.02)
                self._world.to_call.put(url)
                continue
            assert status in (200, 404, 429), status
            self._delivered[url] += status == 200


def _outcome(client: httpx.Client, name: str) -> tuple[str, Any]:
    answer = client.get(f"/v1/{name}")
    answer.raise_for_status()
    found = answer.json()
    return found["state"], found.get("result") or json.loads(found.get("error", {}).get("payload", "null"))


def _names(client: httpx.Client, kind: str) -> list[str]:
    found: list[str] = []
    token = ""
    while True:
        answer = client.get(f"/v1/{PARENT}/workflows/{kind}/executions", params={"pageToken": token})
        answer.raise_for_status()
        found += [execution["name"] for execution in answer.json().get("executions", [])]
        token = answer.json().get("nextPageToken", "")
        if not token:
            return found
