"""Conversion between formats of rows that carry the same meaning, by way of what the rows say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...events import Format
from . import contents, flat, messages, palm_chat, preferences
from .meaning import LOSSES, CannotConvert, Fields, Loss, Meaning, Reader, Writer

__all__ = [
    "CODECS",
    "CONVERSIONS",
    "FAMILIES",
    "LOSSES",
    "CannotConvert",
    "Codec",
    "Loss",
    "converted",
    "target_named",
    "targets_of",
    "why_not",
]


class Codec(NamedTuple):
    """How much a format's rows say, how they are read, and how they are written, which not all can be from others."""

    meaning: Meaning
    read: Reader
    write: Writer | None


_PROMPT, _ANSWER, _PREFERENCE = Meaning.PROMPT, Meaning.ANSWER, Meaning.PREFERENCE

CODECS: Mapping[Format, Codec] = {
    "text": Codec(_ANSWER, flat.reads("input_text", "output_text"), flat.writes("input_text", "output_text")),
    "text_rationale": Codec(_ANSWER, flat.reads("input_text", "output_text"), None),
    "prompts": Codec(_PROMPT, flat.reads("input_text"), flat.writes("input_text")),
    "chat": Codec(_ANSWER, palm_chat.read, palm_chat.write),
    "chat_prompts": Codec(_PROMPT, palm_chat.read, palm_chat.write),
    "preference": Codec(_PREFERENCE, *preferences.palm_text),
    "chat_preference": Codec(_PREFERENCE, *preferences.palm_chat_pair),
    "gemini_messages": Codec(_ANSWER, messages.read, messages.write_plain),
    "gemini_contents": Codec(_ANSWER, contents.read, contents.writes()),
    "gemini_prompts": Codec(_PROMPT, contents.read, contents.writes()),
    "gemini_preference": Codec(_PREFERENCE, preferences.read_gemini, preferences.write_gemini),
    "reinforcement": Codec(_PROMPT, contents.read_reinforcement, None),
    "open_chat": Codec(_ANSWER, messages.read, messages.writes(functions=False)),
    "open_prompts": Codec(_PROMPT, messages.read, messages.writes(functions=False)),
    "open_contents": Codec(_ANSWER, contents.read, contents.writes("assistant")),
    "completion": Codec(_ANSWER, flat.reads("prompt", "completion"), flat.writes("prompt", "completion")),
    "completion_prompts": Codec(_PROMPT, flat.reads("prompt"), flat.writes("prompt")),
    "ground_truth": Codec(_ANSWER, flat.reads("prompt", "ground_truth"), flat.writes("prompt", "ground_truth")),
    "openai_chat": Codec(_ANSWER, messages.read, messages.writes(functions=True)),
    "openai_preference": Codec(_PREFERENCE, preferences.read_openai, preferences.write_openai),
    "batch_requests": Codec(_PROMPT, contents.reads_request(), contents.writes_request()),
}

CONVERSIONS: frozenset[tuple[Format, Format]] = frozenset(
    (source, target)
    for source, read in CODECS.items()
    for target, written in CODECS.items()
    if source != target and written.write is not None and written.meaning <= read.meaning
)

# Words for a family: the format in it that says as much as the rows at hand.
FAMILIES: Mapping[str, Mapping[Meaning, Format]] = {
    "gemini": {_PROMPT: "gemini_prompts", _ANSWER: "gemini_contents", _PREFERENCE: "gemini_preference"},
    "open": {_PROMPT: "open_prompts", _ANSWER: "open_chat"},
    "openai": {_ANSWER: "openai_chat", _PREFERENCE: "openai_preference"},
}


def target_named(word: str, source: Format) -> Format | None:
    """The format that a word means for rows of a source format; None when it is the name of none."""
    name = word.lower().replace("-", "_")
    if family := FAMILIES.get(name):
        meaning = CODECS[source].meaning if source in CODECS else _ANSWER
        return family.get(meaning) or family[_ANSWER]
    return next((known for known in CODECS if known == name), None)


def targets_of(source: Format) -> list[Format]:
    """What rows of a format can be converted to, in the order of the table."""
    return [target for target in CODECS if (source, target) in CONVERSIONS]


def why_not(source: Format, target: Format) -> str:
    """What stands against a pair that is not in `CONVERSIONS`."""
    if source == target:
        return "they are such rows already"
    if source not in CODECS:
        return "they hold no prompt for a model"
    if CODECS[target].write is None:
        return "those need what no other format has"
    return "those need two answers" if CODECS[target].meaning is _PREFERENCE else "those need an answer"


def converted(row: Fields, source: Format, target: Format, lost: set[Loss]) -> dict[str, object]:
    """A right row of one format as a row of another; CannotConvert says why a row has no such form.

    What is lost on the way is added to `lost`.
    """
    reads, writes = CODECS[source], CODECS[target]
    assert writes.write is not None, "a pair of CONVERSIONS"
    return writes.write(preferences.narrowed(reads.read(row, lost), writes.meaning, lost), lost)
