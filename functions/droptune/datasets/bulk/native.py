"""In C: see `plain` for what each function answers. Importing this fails where the C was not compiled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._native import blanks, counts

__all__ = ["blanks", "counts", "hashes", "lengths", "line_ends", "with_more_keys"]


def lengths(texts: Sequence[str]) -> NDArray[np.int32]:
    return np.frombuffer(_native.lengths(texts), np.int32)


def hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    return np.frombuffer(_native.hashes(texts), np.uint64)


def line_ends(block: bytes | memoryview) -> NDArray[np.int64]:
    return np.frombuffer(_native.line_ends(block), np.int64)


def with_more_keys(
    block: bytes | memoryview, ends: NDArray[np.int64], keys: NDArray[np.int64], at: Sequence[int] | None = None
) -> list[int]:
    each = np.frombuffer(_native.keys_of_each(block, ends), np.int64)
    other: list[int] = np.flatnonzero((each if at is None else each[at]) != keys).tolist()
    return other
