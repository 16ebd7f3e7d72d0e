"""Right rows of every format, and one way to judge bytes, for the tests of the intake."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from droptune.datasets.check import Checked, Serves, Source, check
from droptune.events import Role
from droptune.request import Request


def text(n: int) -> dict[str, Any]:
    return {"input_text": f"Where is card number {n}?", "output_text": ("card_arrival", "lost_card")[n % 2]}


def chat(n: int) -> dict[str, Any]:
    turns = [(author, f"{author} says {i} of {n}") for i in range(2) for author in ("user", "assistant")]
    return {"context": "A bank.", "messages": [{"author": author, "content": said} for author, said in turns]}


def messages(n: int) -> dict[str, Any]:
    turns = [("system", "Be brief."), ("user", f"Question {n}?"), ("model", f"Answer {n}.")]
    return {"messages": [{"role": role, "content": said} for role, said in turns]}


def contents(n: int) -> dict[str, Any]:
    turns = [("user", f"Question {n}?"), ("model", f"Answer {n}.")]
    system = {"parts": [{"text": "Be brief."}]}
    return {
        "systemInstruction": system,
        "contents": [{"role": role, "parts": [{"text": said}]} for role, said in turns],
    }


def preference(n: int) -> dict[str, Any]:
    return {"input_text": f"Question {n}?", "candidate_0": "Yes.", "candidate_1": f"No, {n}.", "choice": n % 2}


def preference_chat(n: int) -> dict[str, Any]:
    row = preference(n)
    return {"messages": [{"author": "user", "content": row.pop("input_text")}], **row}


def prompts(n: int) -> dict[str, Any]:
    return {"input_text": f"Question {n}?"}


def prompts_chat(n: int) -> dict[str, Any]:
    return {"messages": [{"author": "user", "content": f"Question {n}?"}]}


ROWS: dict[str, Callable[[int], dict[str, Any]]] = {
    "text": text,
    "chat": chat,
    "gemini_messages": messages,
    "gemini_contents": contents,
    "preference": preference,
    "preference_chat": preference_chat,
    "prompts": prompts,
    "prompts_chat": prompts_chat,
}


def line(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def rows(fmt: str, start: int, stop: int) -> bytes:
    """Right rows of a format, numbered from `start` up to `stop`."""
    return b"".join(line(ROWS[fmt](n)) for n in range(start, stop))


def judge(
    train: bytes | None = None,
    evaluation: bytes | None = None,
    request: Request | None = None,
    serves: Serves | None = None,
    claimed_bytes: int | None = None,
) -> Checked:
    """The judgement of files given as bytes."""
    given: dict[Role, bytes | None] = {"train": train, "eval": evaluation}
    sources = {
        role: Source(f"{role}.jsonl", claimed_bytes or len(data), partial(io.BytesIO, data))
        for role, data in given.items()
        if data is not None
    }
    return check(sources, request or Request(), serves)


def codes(*args: Any, **kwargs: Any) -> set[str]:
    """The codes of all findings of a judgement."""
    return set(judge(*args, **kwargs).findings.by_code)
