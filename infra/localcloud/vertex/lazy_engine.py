"""The engine of the model server: fetched and loaded at the first need, then fed with merged batches."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .base_model import BaseModel, BaseModelError, ensure_base_model
from .chat import ChatError, ChatFormat, Turn

if TYPE_CHECKING:  # torch is imported by whoever loads the engine, not by whoever starts the server
    from .inference import Engine, Generation, LabelScore

State = Literal["idle", "fetching", "loading", "ready", "failed"]
Prompt = Sequence[Turn]


@dataclass(frozen=True)
class Generating:
    """What requests must have in common to be answered as one batch."""

    adapter: Path | None
    max_new_tokens: int
    temperature: float
    top_p: float
    top_k: int
    stop: tuple[str, ...]


@dataclass(frozen=True)
class Scoring:
    """The same for scores of candidates."""

    adapter: Path | None


Work = Generating | Scoring


@dataclass(frozen=True)
class Item:
    """One prompt; `seed` matters when generating, `candidates` when scoring."""

    prompt: Prompt
    seed: int = 0
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """Why one prompt cannot be answered, while the others of its batch are."""

    reason: str


class LazyEngine:
    """`compute` belongs to one thread; `count_tokens` and `status` may be called from others."""

    def __init__(self, base_model: str | None, threads: int | None) -> None:
        self._chosen = base_model
        self._threads = threads
        self._loading = threading.Lock()
        self._base: BaseModel | None = None
        self._chat: ChatFormat | None = None
        self._engine: Engine | None = None
        self._state: State = "idle"
        self._fetched = (0, 0)

    def status(self) -> dict[str, object]:
        """For GET /health."""
        found: dict[str, object] = {"state": self._state}
        if self._state == "fetching":
            found["fetched_bytes"], found["total_bytes"] = self._fetched
        if self._base is not None:
            found["base_model"] = {**self._base.provenance, "name": self._base.name}
        if self._engine is not None:
            found["device"] = self._engine.device
        return found

    def load(self) -> Engine:
        """The engine, loaded now if it was not. BaseModelError says why it cannot be."""
        with self._loading:
            if self._engine is None:
                try:
                    folder = self._located().folder
                    self._state = "loading"
                    from .inference import Engine

                    self._engine = Engine(folder, self._threads)
                except (BaseModelError, ChatError, ValueError, OSError) as error:
                    self._state = "failed"
                    raise BaseModelError(str(error)) from error
                self._chat = self._engine.chat
                self._state = "ready"
            return self._engine

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """Tokens of each prompt; needs the tokenizer only, so it does not wait for the model or for a running batch."""
        chat = self._chat
        if chat is None:
            with self._loading:
                chat = self._chat = self._chat or ChatFormat(self._located().folder)
        return [len(chat.prompt_ids(prompt)) for prompt in prompts]

    def compute(self, work: Work, items: Sequence[Item]) -> list[Generation | list[LabelScore] | Refused]:
        """One answer for each item, in order."""
        from .inference import PromptError

        engine = self.load()
        longest = work.max_new_tokens if isinstance(work, Generating) else 0
        answers: list[Generation | list[LabelScore] | Refused] = [Refused("")] * len(items)
        good = []
        for index, item in enumerate(items):
            try:
                engine.check(item.prompt, longest, item.candidates)
            except (PromptError, ChatError) as error:
                answers[index] = Refused(str(error))
            else:
                good.append(index)
        prompts = [items[index].prompt for index in good]
        found: list[Generation | list[LabelScore] | Refused]
        if isinstance(work, Generating):
            found = [
                *engine.generate(
                    work.adapter,
                    prompts,
                    work.max_new_tokens,
                    work.temperature,
                    work.top_p,
                    work.top_k,
                    work.stop,
                    [items[index].seed for index in good],
                )
            ]
        else:
            found = [*engine.score(work.adapter, prompts, [items[index].candidates for index in good])]
        for index, answer in zip(good, found, strict=True):
            answers[index] = answer
        return answers

    def _located(self) -> BaseModel:
        if self._base is None:
            if self._chosen is not None:
                self._base = BaseModel.at(Path(self._chosen))
            else:
                self._base = ensure_base_model(self._fetching)
            # It is on this machine now: no library shall ask the hub for anything on its own.
            os.environ["HF_HUB_OFFLINE"] = "1"
        return self._base

    def _fetching(self, seen: int, total: int) -> None:
        self._state = "fetching"
        self._fetched = (seen, total)
