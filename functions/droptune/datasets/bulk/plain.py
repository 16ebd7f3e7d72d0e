"""In Python and numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import stringzilla
from numpy.typing import NDArray


def lengths(texts: Sequence[str]) -> NDArray[np.int32]:
    """The characters of each text."""
    return np.fromiter(map(len, texts), np.int32, len(texts))


def blanks(texts: Sequence[str]) -> list[int]:
    """The positions of texts that are empty or white space only. Raises TypeError where one is no text."""
    if "" not in texts and not any(map(str.isspace, texts)):
        return []
    return [at for at, text in enumerate(texts) if not text or text.isspace()]


def hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    """A number for each text, the same for equal ones; it holds in this process and those that it forks."""
    return np.fromiter(map(hash, texts), np.int64, len(texts)).view(np.uint64)


def line_ends(block: bytes | memoryview) -> NDArray[np.int64]:
    """The positions of the line breaks in a block that ends with one."""
    # A search for each line break in turn: quicker than a comparison of every byte, even where lines are short.
    sizes = np.fromiter(map(len, stringzilla.Str(block).split_iter(b"\n")), np.int64)[:-1]
    return np.cumsum(sizes + 1) - 1
