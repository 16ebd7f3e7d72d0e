"""The formats of rows, one line each, and how a row's format is told from its shape, and a file's from its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, combinations
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

__all__ = ["AMBIGUOUS", "AWAITING_ROWS", "FORMATS", "SAMPLED_LINES", "commonest_format", "detect", "same_shape"]

AMBIGUOUS = "ambiguous"  # the shape of a row that has those of two formats
SAMPLED_LINES = 200  # of a file, to find out which format it is in
AWAITING_ROWS = 10  # so many chats that end with the user, when most do, are no mistake: they are prompts

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
_READ_KEYS = frozenset({"contents", "messages"})  # what they hold tells formats apart, too
# The fields of a row that tell formats apart.
_TELLING_KEYS = frozenset(
    {"input_text", "output_text", "rationale", "preferred_output", "non_preferred_output", "completions", "references"}
    | {"prompt", "completion", "ground_truth", "_id", "text", "request"}
    | _READ_KEYS
    | _PREFERENCE_KEYS
    | _OPENAI_KEYS
)
_MOST_TELLING = 6  # each combination is tried


def commonest_format(values: Iterable[Any]) -> RowFormat | None:
    """The format of a file, by the values of its lines in order; None when no row is of a format known.

    The commonest of the first `SAMPLED_LINES`, the first seen among equals; or that of the first row after them that
    has one. Lines that hold no value count as well, whatever stands for them.
    """
    shapes: Counter[str] = Counter()
    awaiting = 0
    for number, value in enumerate(values):
        if number >= SAMPLED_LINES and shapes:
            break
        if isinstance(value, dict) and (shape := detect(value)) and shape != AMBIGUOUS:
            shapes[shape] += 1
            awaiting += shape == "open_chat" and _awaits_answer(value)
    if not shapes:
        return None
    commonest = shapes.most_common(1)[0][0]
    if commonest == "open_chat" and "openai_chat" in shapes:  # whose plain rows look the same
        commonest = "openai_chat"
    elif commonest == "open_chat":
        prompts = awaiting + shapes["open_prompts"]
        if prompts >= AWAITING_ROWS and prompts > shapes["open_chat"] - awaiting:
            commonest = "open_prompts"
    return next(fmt for fmt in FORMATS.values() if fmt.name == commonest)


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


def same_shape(row: Mapping[str, Any], further: Iterable[str]) -> bool:
    """Whether `detect` certainly takes a row for the same with any of some further fields, whatever they hold."""
    telling = _TELLING_KEYS.intersection(further)
    if not _READ_KEYS.isdisjoint(telling) or len(telling) > _MOST_TELLING:
        return False
    shape = detect(row)
    some_of_them = chain.from_iterable(combinations(telling, count) for count in range(1, len(telling) + 1))
    return all(detect({**row, **dict.fromkeys(some)}) == shape for some in some_of_them)


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


def _awaits_answer(row: Mapping[str, Any]) -> bool:
    return next(reversed(_values(row["messages"], "role")), None) == "user"


def _values(turns: Any, key: str) -> list[Any]:
    return [turn[key] for turn in turns if isinstance(turn, dict) and key in turn] if isinstance(turns, list) else []
