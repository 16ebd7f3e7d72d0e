"""A small HTTP server that workflows can call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Paths:
    """The paths that were asked for, in order."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._changed = threading.Condition()

    def add(self, path: str) -> None:
        """Note a request."""
        with self._changed:
            self.all.append(path)
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        """Return when `count` different paths were asked for."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(set(self.all)) >= count, timeout=20)


@contextmanager
def echo_server() -> Iterator[tuple[str, Paths]]:
    """A server that answers each path with itself; its address and the paths asked for."""
    paths = Paths()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.add(self.path)
            body = self.path.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", paths
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
