"""Keeps the model server's contract without a model: answers show what was asked.

A generation repeats the prompt as ``adapter|role:text|...``; a candidate's score is minus its length; a token is a
word. The text ``die`` ends the process once per data folder.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from localcloud.process import die_with_parent

Prompts = list[list[dict[str, str]]]


def generate(body: dict[str, Any]) -> Any:
    adapter = Path(body["adapter"]).name if body["adapter"] else "base"
    texts = ["|".join([adapter, *(f"{t['role']}:{t['text']}" for t in prompt)]) for prompt in body["prompts"]]
    counts = count_tokens(body)["counts"]
    return {
        "generations": [
            {
                "text": text,
                "finish_reason": "STOP",
                "prompt_tokens": count,
                "output_tokens": 2,
                "avg_logprob": -0.5,
                "asked": {
                    key: body[key] for key in ("max_new_tokens", "temperature", "top_p", "top_k", "stop", "seed")
                },
            }
            for text, count in zip(texts, counts, strict=True)
        ]
    }


def score(body: dict[str, Any]) -> Any:
    return {
        "scores": [
            [{"total_logprob": -float(len(label)), "tokens": 2} for label in labels] for labels in body["candidates"]
        ]
    }


def count_tokens(body: dict[str, Any]) -> Any:
    return {"counts": [sum(len(turn["text"].split()) for turn in prompt) for prompt in body["prompts"]]}


BASE = {"state": "ready", "base_model": {"name": "Stub Base 1M"}}
ANSWERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "/generate": generate,
    "/score": score,
    "/count_tokens": count_tokens,
    "/load": lambda body: BASE,
}


def serve(port: int, data: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            last = body["prompts"][-1][-1]["text"] if body.get("prompts") else ""
            if last == "die" and not (data / "died").exists():
                (data / "died").touch()
                os._exit(9)
            if last == "refuse":
                self._send(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "too long"}})
            else:
                self._send(200, ANSWERS[self.path](body))

        def _send(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    die_with_parent(interval_seconds=0.05)
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--base-model")
    arguments = parser.parse_args()
    serve(arguments.port, arguments.data)
