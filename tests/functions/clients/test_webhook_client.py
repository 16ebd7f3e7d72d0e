"""Webhooks: one POST of the notification, and errors that keep the address to themselves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from droptune.clients.webhook import WebhookAnnouncer
from droptune.errors import Retryable
from droptune.events import Notification

NOTIFICATION = Notification(
    run_id="r-1", what="a model", verdict="registered", why="better", cost_and_time="1 s", next_command="droptune ask"
)


class Receiver(ThreadingHTTPServer):
    """Answers with the status in the path and keeps what it got."""

    got: list[tuple[str, Any]]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, Receiver)
        self.server.got.append((self.headers["Content-Type"], body))
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("Location", "/secret/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing: pytest shows what failed."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port of the loopback address."""
    server = Receiver(("127.0.0.1", 0), Handler)
    server.got = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("status", [200, 204])
def test_a_notification_is_posted_as_json(receiver: Receiver, status: int) -> None:
    """Its fields under their own names."""
    WebhookAnnouncer().post(f"http://127.0.0.1:{receiver.server_port}/secret/{status}", NOTIFICATION)
    assert receiver.got == [
        (
            "application/json",
            {
                "run_id": "r-1",
                "what": "a model",
                "verdict": "registered",
                "why": "better",
                "cost_and_time": "1 s",
                "next_command": "droptune ask",
            },
        )
    ]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_anything_but_2xx_is_tried_again_later(receiver: Receiver, status: int) -> None:
    """Redirects are not followed; the error names host and status, never the path, which may hold a secret."""
    with pytest.raises(Retryable, match=str(status)) as error:
        WebhookAnnouncer().post(f"http://127.0.0.1:{receiver.server_port}/secret/{status}", NOTIFICATION)
    assert "secret" not in str(error.value)
    assert len(receiver.got) == 1


def test_a_silent_receiver_is_tried_again_later() -> None:
    """A refused connection is Retryable and keeps the address's secrets too."""
    with pytest.raises(Retryable, match="ConnectionError") as error:
        WebhookAnnouncer().post("http://user:secret@127.0.0.1:1/secret", NOTIFICATION)
    assert "secret" not in str(error.value)
