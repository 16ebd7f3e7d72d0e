"""``python -m localcloud.vertex.model_server --port P --data DIR``: answers from the local base model and its tunings.

An internal service of the local Vertex AI, the one process that holds the model; its own JSON, not Google's:

    POST /generate      {"adapter", "prompts", "max_new_tokens", "temperature", "top_p", "top_k", "stop", "seed"}
    POST /score         {"adapter", "prompts", "candidates"}
    POST /count_tokens  {"prompts"}
    POST /load          loads the model now instead of at the first request
    GET  /health        {"state": "idle" | "fetching" | "loading" | "ready" | "failed", ...}

`adapter` is null for the base, or the folder that a tuning job left. A prompt is ``[{"role", "text"}, ...]``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from socket import socket as Socket
from typing import Annotated, Any, TypeVar

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .. import log
from ..http import GoogleError, application
from ..process import LOOPBACK, announce, die_with_parent, listen
from .base_model import BaseModelError
from .batching import Batcher
from .chat import ChatError, Turn
from .lazy_engine import Generating, Item, LazyEngine, Refused, Scoring, Work

COMPONENT = "model_server"
Body = TypeVar("Body", bound=msgspec.Struct)
Prompts = list[list[Turn]]


class GenerateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """POST /generate. `seed` counts up from prompt to prompt."""

    prompts: Prompts
    adapter: Path | None = None
    max_new_tokens: Annotated[int, msgspec.Meta(ge=1)] = 256
    temperature: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    top_k: Annotated[int, msgspec.Meta(ge=0)] = 0
    stop: tuple[str, ...] = ()
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0


class ScoreBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """POST /score: candidates for each prompt."""

    prompts: Prompts
    candidates: list[tuple[str, ...]]
    adapter: Path | None = None


class CountBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """POST /count_tokens."""

    prompts: Prompts


class ModelServer:
    """The handlers, over one engine and the batcher in front of it."""

    def __init__(self, engine: LazyEngine) -> None:
        self._engine = engine
        self._batcher: Batcher[Work, Item, Any] = Batcher(engine.compute)

    def application(self) -> Starlette:
        routes = [
            Route("/generate", self.generate, methods=["POST"]),
            Route("/score", self.score, methods=["POST"]),
            Route("/count_tokens", self.count_tokens, methods=["POST"]),
            Route("/load", self.load, methods=["POST"]),
            Route("/health", self.health, methods=["GET"]),
        ]
        return application(routes, lifespan=self._lifespan)

    async def generate(self, request: Request) -> JSONResponse:
        body = await _read(request, GenerateBody)
        work = Generating(body.adapter, body.max_new_tokens, body.temperature, body.top_p, body.top_k, tuple(body.stop))
        items = [Item(prompt, seed=body.seed + number) for number, prompt in enumerate(body.prompts)]
        answers = await self._answers(work, items)
        return JSONResponse({"generations": [dataclasses.asdict(answer) for answer in answers]})

    async def score(self, request: Request) -> JSONResponse:
        body = await _read(request, ScoreBody)
        if len(body.candidates) != len(body.prompts):
            found = f"{len(body.prompts)} prompts and {len(body.candidates)} lists of candidates"
            raise GoogleError("INVALID_ARGUMENT", f"found {found}; give one list of candidates for each prompt")
        pairs = zip(body.prompts, body.candidates, strict=True)
        items = [Item(prompt, candidates=candidates) for prompt, candidates in pairs]
        answers = await self._answers(Scoring(body.adapter), items)
        return JSONResponse({"scores": [[dataclasses.asdict(score) for score in answer] for answer in answers]})

    async def count_tokens(self, request: Request) -> JSONResponse:
        body = await _read(request, CountBody)
        with _google_errors():
            return JSONResponse({"counts": await asyncio.to_thread(self._engine.count_tokens, body.prompts)})

    async def load(self, request: Request) -> JSONResponse:
        with _google_errors():
            await asyncio.to_thread(self._engine.load)
        return JSONResponse(self._engine.status())

    async def health(self, request: Request) -> JSONResponse:
        return JSONResponse(self._engine.status())

    async def _answers(self, work: Work, items: Sequence[Item]) -> list[Any]:
        if work.adapter is not None and not work.adapter.is_dir():
            raise GoogleError("NOT_FOUND", f"adapter {work.adapter} is no folder that a tuning job left")
        with _google_errors():
            answers = await self._batcher.submit(work, items)
        for number, answer in enumerate(answers):
            if isinstance(answer, Refused):
                raise GoogleError("INVALID_ARGUMENT", f"prompt {number}: {answer.reason}")
        return answers

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        serving = asyncio.create_task(self._batcher.run())
        yield
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _read(request: Request, shape: type[Body]) -> Body:
    try:
        return msgspec.json.decode(await request.body(), type=shape, dec_hook=_path)
    except msgspec.MsgspecError as error:
        raise GoogleError("INVALID_ARGUMENT", f"request body: {error}") from error


def _path(expected: type, value: object) -> object:
    if expected is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"{expected.__name__} cannot be read from {value!r}")


@contextlib.contextmanager
def _google_errors() -> Any:
    try:
        yield
    except BaseModelError as error:
        raise GoogleError("FAILED_PRECONDITION", str(error)) from error
    except (ChatError, ValueError) as error:
        raise GoogleError("INVALID_ARGUMENT", str(error)) from error


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Exit codes: 0 interrupted, 2 usage, 3 the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.vertex.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--data", type=Path, default=Path(".localcloud"), help="folder of its state")
    parser.add_argument("--base-model", help="model folder; the default base model when not given")
    parser.add_argument("--threads", type=int, help="threads for computing; one for each core when not given")
    arguments = parser.parse_args(argv)
    log.configure(COMPONENT)
    die_with_parent()
    arguments.data.mkdir(parents=True, exist_ok=True)
    try:
        socket = listen(arguments.port)
    except OSError as error:
        sys.stderr.write(f"{COMPONENT}: port {arguments.port} of {LOOPBACK}: {error}\n")
        return 3
    app = ModelServer(LazyEngine(arguments.base_model, arguments.threads)).application()
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2)
    with contextlib.suppress(KeyboardInterrupt):
        _AnnouncingServer(config, arguments.data).run([socket])
    return 0


class _AnnouncingServer(uvicorn.Server):
    """Says that it is ready once it answers."""

    def __init__(self, config: uvicorn.Config, data: Path) -> None:
        super().__init__(config)
        self._data = data

    async def startup(self, sockets: list[Socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            announce(COMPONENT, {"http": f"http://{LOOPBACK}:{sockets[0].getsockname()[1]}"}, self._data)


if __name__ == "__main__":
    sys.exit(main())
