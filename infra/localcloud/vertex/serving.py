"""The model server: one child process that holds the base model and answers for every endpoint, and its client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec

from ..clock import Clock
from ..http import RPC_CODES, GoogleError
from ..process import LOOPBACK, free_port
from .processes import log_tail, spawn, stop

LOG = logging.getLogger(__name__)
_START_SECONDS = 120.0
_POLL_SECONDS = 0.1
# The first answer may wait for the base model to be fetched and loaded.
_TIMEOUT = httpx.Timeout(30.0, read=900.0, pool=None)
# A connection for each question: one kept open may be closed by the other side just when it is used again, which would
# look like a crash of the server.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)


class Turn(msgspec.Struct, frozen=True):
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    text: str


Prompt = tuple[Turn, ...]


class Sampling(msgspec.Struct, frozen=True, omit_defaults=False):
    """How answers are drawn; temperature 0 takes the likeliest token each time."""

    max_new_tokens: int
    temperature: float
    top_p: float
    top_k: int
    stop: tuple[str, ...]
    seed: int


class Generation(msgspec.Struct, frozen=True):
    """One answer; `avg_logprob` is per output token."""

    text: str
    finish_reason: Literal["STOP", "MAX_TOKENS"]
    prompt_tokens: int
    output_tokens: int
    avg_logprob: float


class Score(msgspec.Struct, frozen=True):
    """How likely one candidate answer is."""

    total_logprob: float
    tokens: int


class _Base(msgspec.Struct):
    name: str


class _Loaded(msgspec.Struct):
    base_model: _Base


class _Generations(msgspec.Struct):
    generations: list[Generation]


class _Scores(msgspec.Struct):
    scores: list[list[Score]]


class _Counts(msgspec.Struct):
    counts: list[int]


class ModelServer:
    """Started by the first question and started again when it has died. `command` gets ``--port`` appended."""

    def __init__(self, command: Sequence[str], data: Path, clock: Clock) -> None:
        self._command = command
        self._log_path = data / "model_server.log"
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, limits=_LIMITS, trust_env=False)
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._address = ""
        self._warming: asyncio.Task[None] | None = None
        self._base_name: str | None = None

    async def generate(self, adapter: Path | None, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generation]:
        """One answer per prompt, by the base model or by it with an adapter."""
        payload = {**_question(adapter, prompts), **msgspec.to_builtins(sampling)}
        return msgspec.convert(await self._ask("/generate", payload), _Generations).generations

    async def score(self, adapter: Path | None, prompt: Prompt, candidates: Sequence[str]) -> list[Score]:
        """How likely each candidate is as the whole answer to `prompt`."""
        payload = {**_question(adapter, [prompt]), "candidates": [list(candidates)]}
        return msgspec.convert(await self._ask("/score", payload), _Scores).scores[0]

    async def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """Tokens of each prompt as the local base model reads it."""
        payload = {"prompts": msgspec.to_builtins(list(prompts))}
        return msgspec.convert(await self._ask("/count_tokens", payload), _Counts).counts

    async def base_name(self) -> str:
        """The name of the base model that really answers."""
        if self._base_name is None:
            self._base_name = msgspec.convert(await self._ask("/load", {}), _Loaded).base_model.name
        return self._base_name

    def warm(self) -> None:
        """Start and load in the background, so that the first question need not wait."""
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._warm())

    async def close(self) -> None:
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        if self._process is not None:
            await stop(self._process)
        await self._http.aclose()

    async def _warm(self) -> None:
        try:
            await self.base_name()
        except GoogleError as error:
            LOG.warning("the model server could not be warmed: %s", error.message)

    async def _ask(self, path: str, payload: Mapping[str, Any]) -> Any:
        """The JSON answer; a server that dies meanwhile is started again once."""
        for attempt in (1, 2):
            process, address = await self._started()
            try:
                response = await self._http.post(address + path, json=payload)
            except httpx.TransportError as error:
                if attempt == 2 or isinstance(error, httpx.ReadTimeout):
                    raise self._unavailable(f"it broke off while answering {path} ({type(error).__name__})") from error
                LOG.warning("the model server broke off; starting it again")
                await stop(process)
                continue
            if response.is_error:
                raise _error(response)
            return response.json()
        raise AssertionError("unreachable")

    async def _started(self) -> tuple[asyncio.subprocess.Process, str]:
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                port = free_port()
                self._process = await spawn([*self._command, "--port", str(port)], self._log_path)
                self._address = f"http://{LOOPBACK}:{port}"
                await self._until_healthy(self._process)
            return self._process, self._address

    async def _until_healthy(self, process: asyncio.subprocess.Process) -> None:
        deadline = self._clock.now() + _START_SECONDS
        while self._clock.now() < deadline:
            if process.returncode is not None:
                raise self._unavailable(f"it ended with exit code {process.returncode}")
            try:
                if (await self._http.get(f"{self._address}/health")).is_success:
                    return
            except httpx.TransportError:
                pass
            await self._clock.sleep(_POLL_SECONDS)
        await stop(process)
        raise self._unavailable(f"it did not answer within {_START_SECONDS:.0f} s")

    def _unavailable(self, reason: str) -> GoogleError:
        return GoogleError("UNAVAILABLE", f"the local model server failed: {reason}: {log_tail(self._log_path)}")


def _question(adapter: Path | None, prompts: Sequence[Prompt]) -> dict[str, Any]:
    return {
        "adapter": None if adapter is None else str(adapter.resolve()),
        "prompts": msgspec.to_builtins(list(prompts)),
    }


def _error(response: httpx.Response) -> GoogleError:
    try:
        error = response.json()["error"]
        status, message = error["status"], error["message"]
    except (ValueError, LookupError, TypeError):
        return GoogleError("INTERNAL", f"the model server answered HTTP {response.status_code}: {response.text[:300]}")
    return GoogleError(status if status in RPC_CODES else "INTERNAL", message)
