"""A Workflows service as a process of its own, and its REST API over one plain connection."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from localcloud.process import child_environment

PARENT = "projects/p/locations/l"


class Service:
    """The service as a process of its own."""

    def __init__(self, data: Path, port: int) -> None:
        started = time.perf_counter()
        self._log = (data / "log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "localcloud", "workflows", "--data", str(data), "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=child_environment(),
        )
        assert self.process.stdout is not None
        self.addresses: dict[str, str] = json.loads(self.process.stdout.readline())["ready"]
        self.start_seconds = time.perf_counter() - started

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.process.kill()
        self.process.wait()
        self._log.close()

    def connection(self) -> http.client.HTTPConnection:
        """A connection to the REST API."""
        return http.client.HTTPConnection(self.addresses["rest"].rpartition("/")[2], timeout=60)

    def resident_mb(self) -> float:
        """Memory of the whole process."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)


def request(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    """The JSON of an answer, which must be a good one."""
    text = None if body is None else json.dumps(body)
    connection.request(method, f"/v1/{path}", text, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    return json.loads(content)


def deploy(connection: http.client.HTTPConnection, name: str, source: str) -> None:
    """Create a workflow."""
    request(connection, "POST", f"{PARENT}/workflows?workflowId={name}", {"sourceContents": source})


def create(connection: http.client.HTTPConnection, workflow: str) -> str:
    """Create an execution; its name."""
    return str(request(connection, "POST", f"{PARENT}/workflows/{workflow}/executions", {})["name"])
