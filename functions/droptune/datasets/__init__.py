"""The formats of rows, one line each, and how a row's format is told from its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .chat import CHAT
from .gemini_contents import GEMINI_CONTENTS
from .gemini_messages import GEMINI_MESSAGES
from .preference import PREFERENCE, PREFERENCE_CHAT
from .prompts import PROMPTS, PROMPTS_CHAT
from .rowformat import RowFormat
from .text import TEXT

__all__ = ["FORMATS", "OTHER_SHAPES", "RowFormat", "detect"]

FORMATS: dict[str, RowFormat] = {
    fmt.name: fmt
    for fmt in (
        TEXT,
        CHAT,
        GEMINI_MESSAGES,
        GEMINI_CONTENTS,
        PREFERENCE,
        PREFERENCE_CHAT,
        PROMPTS,
        PROMPTS_CHAT,
    )
}

# Shapes of tuning data that are recognised, so that they can be refused by name, and what the user can do.
OTHER_SHAPES: dict[str, str] = {
    "gemini_preference": "Gemini preference rows (`contents` with `completions`)",
    "reinforcement": "reinforcement rows (`contents` with `references`)",
    "contents_prompts": "Gemini prompts without an answer (`contents` that end with the user)",
    "open_contents": "open-model rows (`contents` with the role `assistant`, which Gemini calls `model`)",
    "open_chat": "open-model chat (`messages` with the role `assistant`, which Gemini calls `model`)",
    "messages_prompts": "prompts without an answer (`messages` of system and user only)",
    "completion": "open-model completion rows (`prompt` and `completion`)",
    "ground_truth": "evaluation rows (`prompt` and `ground_truth`)",
    "bare_prompts": "prompts without an answer (`prompt` alone)",
    "embedding": "embedding rows (`_id` and `text`)",
    "batch": "batch prediction requests (`request`)",
    "ambiguous": "rows with both `input_text` and `contents`",
}


def detect(row: Mapping[str, Any]) -> str | None:
    """The name of a row's shape, in `FORMATS` or `OTHER_SHAPES`; None when its fields say nothing.

    A row with one or two of `candidate_0`, `candidate_1` and `choice` is a preference row that misses something.
    """
    preference = any(key in row for key in ("candidate_0", "candidate_1", "choice"))
    if "contents" in row:
        return "ambiguous" if "input_text" in row else _contents_shape(row)
    if "messages" in row:
        return _messages_shape(row["messages"], preference)
    if "input_text" in row or "output_text" in row:
        if preference:
            return "preference"
        return "text" if "output_text" in row else "prompts"
    if preference:
        return "preference"
    if "prompt" in row:
        return "completion" if "completion" in row else "ground_truth" if "ground_truth" in row else "bare_prompts"
    if "_id" in row and "text" in row:
        return "embedding"
    return "batch" if "request" in row else None


def _contents_shape(row: Mapping[str, Any]) -> str:
    if "completions" in row:
        return "gemini_preference"
    if "references" in row:
        return "reinforcement"
    roles = _values(row["contents"], "role")
    last = roles[-1] if roles else None
    return {"user": "contents_prompts", "assistant": "open_contents"}.get(str(last), "gemini_contents")


def _messages_shape(messages: Any, preference: bool) -> str | None:
    authors, roles = _values(messages, "author"), _values(messages, "role")
    if preference:
        return "preference_chat"
    if authors:
        return "prompts_chat" if authors[-1] == "user" else "chat"
    if "model" in roles:
        return "gemini_messages"
    if "assistant" in roles:
        return "open_chat"
    return "messages_prompts" if roles else None


def _values(turns: Any, key: str) -> list[Any]:
    return [turn[key] for turn in turns if isinstance(turn, dict) and key in turn] if isinstance(turns, list) else []
