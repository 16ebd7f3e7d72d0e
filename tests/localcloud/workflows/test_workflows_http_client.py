"""Requests over a real connection: answers, redirects, sizes, and what cannot be reached."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from workflows_echo import echo_server

from localcloud.clock import ManualClock
from localcloud.process import free_port
from localcloud.workflows import HttpReply, HttpRequest, WorkflowError, run_source
from localcloud.workflows.connectors import Connectors
from localcloud.workflows.limits import RESPONSE_BYTES
from localcloud.workflows.running.http_client import RealHttpClient


@pytest.fixture
def server() -> Iterator[str]:
    """/moved redirects to /there, /away?URL to URL/there; /large is too much, /broken less than it says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = {"/large": RESPONSE_BYTES + 1, "/broken": 10}.get(self.path, 2)
            self.send_response(302 if self.path.startswith(("/moved", "/away")) else 200)
            away = self.path.partition("?")[2]
            self.send_header("location", f"{away}/there")
            self.send_header("x-one-two", "yes")
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(b"x" * (5 if self.path == "/broken" else size))

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def _get(url: str, allowed: Sequence[str] | None = None) -> HttpReply:
    async def send() -> HttpReply:
        client = RealHttpClient(allowed)
        try:
            return await client.send(HttpRequest("GET", url, {}, b""))
        finally:
            assert client.in_flight == 0
            await client.close()

    return asyncio.run(send())


def test_redirects_are_followed_and_header_names_have_one_form(server: str) -> None:
    """The answer is the one after the redirect; header names read like X-One-Two whatever was sent."""
    reply = _get(f"{server}/moved")
    assert (reply.status, reply.body) == (200, b"xx")
    assert reply.headers["X-One-Two"] == "yes"


@pytest.mark.parametrize(("path", "tag"), [("/large", "ResourceLimitError"), ("/broken", "ConnectionError")])
def test_answers_that_cannot_be_used_are_tagged(server: str, path: str, tag: str) -> None:
    """More than 2 MB is a ResourceLimitError, a truncated answer a ConnectionError."""
    with pytest.raises(WorkflowError) as failure:
        _get(server + path)
    assert tag in failure.value.tags


@pytest.mark.parametrize("host", ["127.0.0.1", "name.invalid"])
def test_what_cannot_be_reached_is_a_failed_connection(host: str) -> None:
    """A refused connection and an unknown name are ConnectionFailedErrors."""
    with pytest.raises(WorkflowError) as failure:
        _get(f"http://{host}:{free_port()}/")
    assert "ConnectionFailedError" in failure.value.tags


def test_driven_time_waits_for_real_answers() -> None:
    """With a ManualClock, hours pass between calls to a real server but none while an answer is awaited."""
    source = """
main:
  params: [base]
  steps:
    - start: {assign: [{last: null}]}
    - a:
        for:
          value: i
          range: [1, 3]
          steps:
            - ask: {call: http.get, args: {url: "${base + \\"/\\" + string(i)}", timeout: 5}, result: r}
            - keep: {assign: [{last: "${r.body}"}]}
            - wait: {call: sys.sleep, args: {seconds: 7200}}
    - b: {return: "${[last, sys.now()]}"}
"""
    with echo_server() as (address, paths):
        result: Any = asyncio.run(run_source(source, address, clock=ManualClock(0)))
    assert result == ["/3", 21600.0]
    assert paths.all == ["/1", "/2", "/3"]


@pytest.mark.parametrize("allowed", [["127.0.0.1"], ["example.org", "127.*"], ["*"]])
def test_an_allowed_host_is_reached(server: str, allowed: list[str]) -> None:
    """A host is named whole, or with a star for any text."""
    assert _get(f"{server}/there", allowed).status == 200


@pytest.mark.parametrize("allowed", [[], ["127.0.0.2"], ["27.0.0.1"]])
def test_another_host_is_refused_by_name(server: str, allowed: list[str]) -> None:
    """Nothing is sent to a host that is not allowed; the error says how to allow it."""
    with pytest.raises(WorkflowError) as refusal:
        _get(f"{server}/there", allowed)
    assert refusal.value.tags == ("SystemError",)
    assert "--allow-http 127.0.0.1" in refusal.value.payload["message"]


def test_a_redirect_leads_to_no_other_host(server: str) -> None:
    """An allowed host cannot send a request on to one that is not."""
    elsewhere = server.replace("127.0.0.1", "localhost")
    with pytest.raises(WorkflowError) as refusal:
        _get(f"{elsewhere}/away?{server}", ["localhost"])
    assert "--allow-http 127.0.0.1" in refusal.value.payload["message"]


def test_connectors_may_be_reached_anyway() -> None:
    """The hosts of configured services need no mention of their own."""
    connectors = Connectors({"storage": "http://storage.internal:9000"})
    assert connectors.reachable(["a.org"]) == ("a.org", "storage.internal")
    assert connectors.reachable(None) is None
