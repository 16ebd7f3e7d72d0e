"""What prompts have in common at their beginning and end: the instruction around what varies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

HEAD, HEAD_CJK = 10, 6  # prompts that agree in so many first characters are looked at as one group
LEAST_SHARE = 0.1  # of the prompts, for a group to have an instruction of its own
MAX_SUFFIX = 400  # characters
_FIRST_CJK = "⺀"
_LAST_BOUNDARY = re.compile(r".*[\s\W]", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]{2,}")


class Frame(NamedTuple):
    """A text that many prompts begin (or end) with, and the positions of the prompts that do."""

    text: str
    positions: list[int]

    @property
    def is_instruction(self) -> bool:
        """Whether it says something, rather than being a mark such as ``Q:``."""
        return self._says(3, HEAD)

    @property
    def is_long(self) -> bool:
        """Whether it is more than people happen to begin with, such as ``I would like to``."""
        return self._says(5, 20)

    def _says(self, words: int, characters: int) -> bool:
        found = _WORD.findall(self.text)
        if any(word[0] >= _FIRST_CJK and len(word) >= HEAD_CJK for word in found):
            return True
        return len(found) >= words and len(self.text) >= characters


def prefixes(prompts: Sequence[str]) -> list[Frame]:
    """Common beginnings, the most frequent first."""
    return _frames(prompts)


def suffixes(prompts: Sequence[str]) -> list[Frame]:
    """Common ends, the most frequent first."""
    ends = [prompt[: -MAX_SUFFIX - 1 : -1] for prompt in prompts]
    return [frame._replace(text=frame.text[::-1]) for frame in _frames(ends)]


def bodies(prompts: Sequence[str], prefix: Frame | None, suffix: Frame | None) -> list[str]:
    """The prompts without a common beginning and end, where they have them."""
    texts = list(prompts)
    if prefix:
        for at in prefix.positions:
            texts[at] = texts[at][len(prefix.text) :]
    if suffix:
        for at in suffix.positions:
            texts[at] = texts[at].removesuffix(suffix.text)
    return texts


def _frames(prompts: Sequence[str]) -> list[Frame]:
    heads = [prompt[:HEAD] if prompt[:1] < _FIRST_CJK else prompt[:HEAD_CJK] for prompt in prompts]
    least = max(2, LEAST_SHARE * len(prompts))
    common = [(head, count) for head, count in Counter(heads).most_common(int(1 / LEAST_SHARE)) if count >= least]
    frames = []
    for head, _ in common:
        positions = [at for at, each in enumerate(heads) if each == head]
        shared = _common([prompts[at] for at in positions])
        if any(len(prompts[at]) > len(shared) for at in positions) and (text := _whole_words(shared)):
            frames.append(Frame(text, positions))
    return frames


def _common(texts: Sequence[str]) -> str:
    """The characters that all texts begin with."""
    least, greatest = min(texts), max(texts)
    return least[: next((at for at, (a, b) in enumerate(zip(least, greatest, strict=False)) if a != b), len(least))]


def _whole_words(shared: str) -> str:
    """The text up to the end of its last whole word; a text without spaces, as of Japanese, is left as it is."""
    if not shared or not shared[-1].isalnum() or shared[-1] >= _FIRST_CJK:
        return shared
    match = _LAST_BOUNDARY.match(shared)
    return match[0] if match else ""
