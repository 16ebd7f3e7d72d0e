"""Right rows of every format, and one way to judge bytes, for the tests of the intake."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

from droptune.datasets.check import Checked, Options, Source, check
from droptune.datasets.content import Leaks
from droptune.datasets.findings import Findings
from droptune.datasets.formats import FORMATS
from droptune.datasets.limits import Serves
from droptune.datasets.scan import scan
from droptune.events import Format, Role
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


def rationale(n: int) -> dict[str, Any]:
    return {**text(n), "rationale": f"The customer asks about card {n}."}


def gemini_prompts(n: int) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": f"Question {n}?"}]}]}


def gemini_preference(n: int) -> dict[str, Any]:
    said = ({"role": "model", "parts": [{"text": f"{word}, {n}."}]} for word in ("Yes", "No"))
    return {**gemini_prompts(n), "completions": [{"score": at, "completion": turn} for at, turn in enumerate(said)]}


def reinforcement(n: int) -> dict[str, Any]:
    return {**gemini_prompts(n), "references": {"answer": f"Answer {n}."}}


def open_contents(n: int) -> dict[str, Any]:
    row = contents(n)
    row["contents"][-1]["role"] = "assistant"
    return row


def open_chat(n: int) -> dict[str, Any]:
    turns = [("system", "Be brief."), ("user", f"Question {n}?"), ("assistant", f"Answer {n}.")]
    return {"messages": [{"role": role, "content": said} for role, said in turns]}


def open_prompts(n: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": f"Question {n}?"}]}


def completion(n: int) -> dict[str, Any]:
    return {"prompt": f"Question {n}?", "completion": f"Answer {n}."}


def completion_prompts(n: int) -> dict[str, Any]:
    return {"prompt": f"Question {n}?"}


def ground_truth(n: int) -> dict[str, Any]:
    return {"prompt": f"Question {n}?", "ground_truth": f"Answer {n}."}


def embedding(n: int) -> dict[str, Any]:
    return {"_id": f"doc{n}", "text": f"Text number {n}."}


def openai_chat(n: int) -> dict[str, Any]:
    row = open_chat(n)
    row["messages"][-1]["weight"] = 1
    return row


def openai_preference(n: int) -> dict[str, Any]:
    preferred, other = ([{"role": "assistant", "content": f"{word}, {n}."}] for word in ("Yes", "No"))
    return {"input": open_prompts(n), "preferred_output": preferred, "non_preferred_output": other}


def batch_request(n: int) -> dict[str, Any]:
    return {"request": gemini_prompts(n)}


ROWS: dict[str, Callable[[int], dict[str, Any]]] = {
    "text": text,
    "text_rationale": rationale,
    "prompts": prompts,
    "chat": chat,
    "chat_prompts": prompts_chat,
    "preference": preference,
    "chat_preference": preference_chat,
    "gemini_messages": messages,
    "gemini_contents": contents,
    "gemini_prompts": gemini_prompts,
    "gemini_preference": gemini_preference,
    "reinforcement": reinforcement,
    "open_chat": open_chat,
    "open_prompts": open_prompts,
    "open_contents": open_contents,
    "completion": completion,
    "completion_prompts": completion_prompts,
    "ground_truth": ground_truth,
    "embedding_text": embedding,
    "openai_chat": openai_chat,
    "openai_preference": openai_preference,
    "batch_requests": batch_request,
}


def line(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def leaks_in(fmt: Format, found: Iterable[Any]) -> Leaks:
    """What a scan of rows finds of secrets and e-mail addresses."""
    data = b"".join(json.dumps(row).encode() + b"\n" for row in found)
    return scan(io.BytesIO(data), "f.jsonl", Findings(), fmt=FORMATS[fmt], leaks=True).leaks


def rows(fmt: str, start: int, stop: int) -> bytes:
    """Right rows of a format, numbered from `start` up to `stop`."""
    return b"".join(line(ROWS[fmt](n)) for n in range(start, stop))


def judge(
    train: bytes | None = None,
    evaluation: bytes | None = None,
    request: Request | None = None,
    serves: Serves | None = None,
    claimed_bytes: int | None = None,
    options: Options | None = None,
    **others: bytes,
) -> Checked:
    """The judgement of files given as bytes, by their roles."""
    given = {"train": train, "eval": evaluation, **others}
    sources = {
        cast(Role, role): Source(
            "labels.tsv" if role == "labels" else f"{role}.jsonl", claimed_bytes or len(data), partial(io.BytesIO, data)
        )
        for role, data in given.items()
        if data is not None
    }
    return check(sources, request or Request(), serves, options)


def codes(*args: Any, **kwargs: Any) -> set[str]:
    """The codes of all findings of a judgement."""
    return set(judge(*args, **kwargs).findings.by_code)
