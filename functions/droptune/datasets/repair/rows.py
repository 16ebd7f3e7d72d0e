"""The repairs of each format's rows. None of them changes what a row means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...events import Format
from ..rowformat import Problem
from ..rules import rule
from . import dialogues, gemini
from .texts import Repair, Row, bit, optional, texts, within

_CANDIDATES = (texts("candidate_0", "candidate_1"), bit("choice"))
_PALM_CHAT = (texts("context"), dialogues.PALM, optional("context"))

REPAIRS: Mapping[Format, tuple[Repair, ...]] = {
    "text": (texts("input_text", "output_text"),),
    "text_rationale": (texts("input_text", "output_text", "rationale"),),
    "prompts": (texts("input_text"),),
    "chat": _PALM_CHAT,
    "chat_prompts": _PALM_CHAT,
    "preference": (texts("input_text"), *_CANDIDATES),
    "chat_preference": (*_PALM_CHAT, *_CANDIDATES),
    "gemini_messages": (dialogues.GEMINI,),
    "gemini_contents": (gemini.contents("model"),),
    "gemini_prompts": (gemini.contents("model"),),
    "gemini_preference": (gemini.contents("model"), gemini.completions),
    "reinforcement": (gemini.contents("model"), gemini.references),
    "open_chat": (dialogues.OPEN,),
    "open_prompts": (dialogues.OPEN,),
    "open_contents": (gemini.contents("assistant"),),
    "completion": (texts("prompt", "completion"),),
    "completion_prompts": (texts("prompt"),),
    "ground_truth": (texts("prompt", "ground_truth"),),
    "embedding_text": (texts("_id", "title", "text"), optional("title")),
    "openai_chat": (dialogues.OPENAI, optional("tools")),
    "openai_preference": (
        within("input", dialogues.OPENAI, optional("tools")),
        dialogues.turns_of("preferred_output"),
        dialogues.turns_of("non_preferred_output"),
    ),
    "batch_requests": (within("request", gemini.contents("model")),),
}


def repair_row(row: Row, fmt: Format) -> set[str]:
    """Put a row right in place as far as that is certain; the kinds of what was changed."""
    return set().union(*(repair(row) for repair in REPAIRS.get(fmt, ())))


def drop_unknown(row: Row, problems: Iterable[Problem]) -> set[str]:
    """Take out of a row the fields that no rule knows."""
    changes = set()
    for problem in problems:
        if rule(problem.code).kind == "unknown_field" and _delete(row, problem.pointer):
            changes.add("unknown_field")
    return changes


def _delete(row: Row, pointer: str) -> bool:
    *path, last = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    place: Any = row
    for token in path:
        if isinstance(place, list):
            place = place[int(token)]
        elif isinstance(place, dict) and token in place:
            place = place[token]
        else:
            return False
    return isinstance(place, dict) and place.pop(last, place) is not place
