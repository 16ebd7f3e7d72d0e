"""The formats of rows, one line each, and how a row's format is told from its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...events import Format
from ..rowformat import RowFormat
from .batch_requests import BATCH_REQUESTS
from .chat import CHAT
from .completion import COMPLETION, COMPLETION_PROMPTS
from .embedding_text import EMBEDDING_TEXT
from .gemini_contents import GEMINI_CONTENTS
from .gemini_messages import GEMINI_MESSAGES
from .gemini_preference import GEMINI_PREFERENCE
from .gemini_prompts import GEMINI_PROMPTS
from .ground_truth import GROUND_TRUTH
from .open_chat import OPEN_CHAT, OPEN_PROMPTS
from .open_contents import OPEN_CONTENTS
from .openai_chat import OPENAI_CHAT
from .openai_preference import OPENAI_PREFERENCE
from .preference import CHAT_PREFERENCE, PREFERENCE
from .prompts import CHAT_PROMPTS, PROMPTS
from .reinforcement import REINFORCEMENT
from .text import TEXT
from .text_rationale import TEXT_RATIONALE

__all__ = ["AMBIGUOUS", "FORMATS", "detect"]

AMBIGUOUS = "ambiguous"  # the shape of a row that has those of two formats

FORMATS: Mapping[Format, RowFormat] = {
    fmt.name: fmt
    for fmt in (
        TEXT,
        TEXT_RATIONALE,
        PROMPTS,
        CHAT,
        CHAT_PROMPTS,
        PREFERENCE,
        CHAT_PREFERENCE,
        GEMINI_MESSAGES,
        GEMINI_CONTENTS,
        GEMINI_PROMPTS,
        GEMINI_PREFERENCE,
        REINFORCEMENT,
        OPEN_CHAT,
        OPEN_PROMPTS,
        OPEN_CONTENTS,
        COMPLETION,
        COMPLETION_PROMPTS,
        GROUND_TRUTH,
        EMBEDDING_TEXT,
        OPENAI_CHAT,
        OPENAI_PREFERENCE,
        BATCH_REQUESTS,
    )
}

_PREFERENCE_KEYS = frozenset({"candidate_0", "candidate_1", "choice"})
_OPENAI_KEYS = frozenset({"tools", "functions", "parallel_tool_calls"})
_OPENAI_TURN_KEYS = frozenset({"tool_calls", "tool_call_id", "function_call", "weight", "name", "refusal"})
_OPENAI_ROLES = frozenset({"tool", "developer", "function"})


def detect(row: Mapping[str, Any]) -> Format | str | None:
    """The format whose shape a row has; AMBIGUOUS when it has two, None when its fields say nothing.

    A row with one or two of `candidate_0`, `candidate_1` and `choice` is a preference row that misses something.
    """
    if "contents" in row:
        return AMBIGUOUS if "input_text" in row else _contents_shape(row)
    if "preferred_output" in row or "non_preferred_output" in row:
        return "openai_preference"
    preference = not _PREFERENCE_KEYS.isdisjoint(row)
    if "messages" in row:
        return "chat_preference" if preference else _messages_shape(row)
    if preference:
        return "preference"
    if "input_text" in row or "output_text" in row:
        if "rationale" in row:
            return "text_rationale"
        return "text" if "output_text" in row else "prompts"
    if "prompt" in row:
        return (
            "completion" if "completion" in row else "ground_truth" if "ground_truth" in row else "completion_prompts"
        )
    if "_id" in row and "text" in row:
        return "embedding_text"
    return "batch_requests" if "request" in row else None


def _contents_shape(row: Mapping[str, Any]) -> Format:
    if "completions" in row:
        return "gemini_preference"
    if "references" in row:
        return "reinforcement"
    last = next(reversed(_values(row["contents"], "role")), None)
    if last == "assistant":
        return "open_contents"
    return "gemini_prompts" if last == "user" else "gemini_contents"


def _messages_shape(row: Mapping[str, Any]) -> Format | None:
    messages = row["messages"] if isinstance(row["messages"], list) else []
    authors, roles = _values(messages, "author"), _values(messages, "role")
    if authors:
        return "chat_prompts" if authors[-1] == "user" else "chat"
    if "model" in roles:
        return "gemini_messages"
    openai = not (
        _OPENAI_KEYS.isdisjoint(row)
        and _OPENAI_ROLES.isdisjoint(role for role in roles if isinstance(role, str))
        and all(_OPENAI_TURN_KEYS.isdisjoint(turn) for turn in messages if isinstance(turn, dict))
    )
    if openai:
        return "openai_chat"
    if "assistant" in roles:
        return "open_chat"
    return "open_prompts" if roles else None


def _values(turns: Any, key: str) -> list[Any]:
    return [turn[key] for turn in turns if isinstance(turn, dict) and key in turn] if isinstance(turns, list) else []
