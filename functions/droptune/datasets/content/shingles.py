"""Pairs of texts that share nearly all their letters, found in time that grows with the bytes, not the pairs.

A text is taken without spaces and common punctuation, in lower case. Of its pieces of eight bytes, about one in eight
is kept, told by its own first bytes, so that equal passages keep equal pieces. Pieces of many texts are a template and
say nothing; texts that share most of their other pieces are compared in full.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PIECE = 8  # bytes
LEAST_SIMILAR = 0.85  # Jaccard index of the pieces: about a word in twenty may differ
LEAST_BYTES = 120  # about 25 words: shorter texts that differ in a word mean different things
MAX_TEXTS_OF_PIECE = 20  # a piece of more texts belongs to a template
LEAST_PIECES = 8  # kept ones, of those that are no template
LEAST_SHARED = 0.6  # of the kept pieces, for a full comparison
NEIGHBOURS = 6  # texts with the same piece that each is paired with

_LOWER = bytes(range(256)).lower()
_IGNORED = b" \t\r\n.,;:!?'\"`"
_MIX = np.uint64(0x9E3779B97F4A7C15)


def letters(data: bytes) -> bytes:
    """UTF-8 text in lower case (ASCII letters) without spaces and common punctuation."""
    return data.translate(_LOWER, _IGNORED)


def candidates(texts: Sequence[bytes]) -> list[tuple[int, int]]:
    """Positions of texts, as `letters` gives them, that share most of their kept pieces, the likeliest first."""
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    data = b"\0".join(texts) + bytes(PIECE)
    at = _chosen(data)
    chosen_of = np.diff(np.searchsorted(at, np.cumsum(sizes + 1)), prepend=0)
    long_enough = np.repeat(sizes >= LEAST_BYTES, chosen_of)
    text_of = np.repeat(np.arange(len(sizes)), chosen_of)[long_enough]
    at = at[: len(long_enough)][long_enough]
    pieces, text_of = _sorted(_pieces_at(data)[at] * _MIX, text_of, len(texts))
    starts = np.flatnonzero(np.append(True, pieces[1:] != pieces[:-1])[: len(pieces)])
    counts = np.diff(starts, append=len(pieces))
    kept = np.bincount(text_of[np.repeat(counts <= MAX_TEXTS_OF_PIECE, counts)], minlength=len(sizes))
    of_some = (counts > 1) & (counts <= MAX_TEXTS_OF_PIECE)
    shared_by = text_of[np.repeat(of_some, counts)]
    runs = np.repeat(np.arange(np.count_nonzero(of_some)), counts[of_some])
    keys = _neighbours(shared_by, runs, len(sizes))
    pairs, shared = np.unique(keys, return_counts=True)
    earlier, later = np.divmod(pairs, len(sizes))
    larger = np.maximum(kept[earlier], kept[later])
    enough = (larger >= LEAST_PIECES) & (shared >= LEAST_SHARED * larger)
    best = np.argsort(-(shared[enough] / larger[enough]), kind="stable")
    return list(zip(earlier[enough][best].tolist(), later[enough][best].tolist(), strict=True))


def _chosen(data: bytes) -> NDArray[np.int64]:
    """Where kept pieces begin: about one place in eight, told by the three bytes there."""
    signs = np.frombuffer(data, np.uint8)[: len(data) - PIECE + 3]
    mixed = signs[:-2] * np.uint8(37) + signs[1:-1] * np.uint8(101) + signs[2:] * np.uint8(151)
    return np.flatnonzero(mixed < 32)


def _pieces_at(data: bytes) -> NDArray[np.uint64]:
    """The piece that begins at each place: overlapping little-endian integers over the same bytes."""
    return np.ndarray((len(data) - PIECE + 1,), "<u8", data, strides=(1,))


def _sorted(
    pieces: NDArray[np.uint64], text_of: NDArray[np.int64], texts: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Mixed pieces and their texts, by piece and text: sorted as one number, the text in its low bits."""
    low = np.uint64(texts.bit_length())
    keys = np.sort((pieces >> low << low) | text_of.astype(np.uint64))
    return keys >> low, (keys & ((np.uint64(1) << low) - np.uint64(1))).astype(np.int64)


def _neighbours(text_of: NDArray[np.int64], runs: NDArray[np.int64], texts: int) -> NDArray[np.int64]:
    """Pairs of texts within the run of one piece, each with the few before it, as `earlier * texts + later`."""
    keys = []
    for distance in range(1, NEIGHBOURS + 1):
        earlier, later = text_of[:-distance], text_of[distance:]
        paired = (runs[:-distance] == runs[distance:]) & (earlier != later)
        keys.append(earlier[paired] * texts + later[paired])
    return np.concatenate(keys)


def similarity(one: bytes, other: bytes) -> float:
    """The Jaccard index of the pieces of two texts; 0 where they are too short to be compared."""
    if min(len(one), len(other)) < LEAST_BYTES:
        return 0.0
    here, there = _pieces(one), _pieces(other)
    both = len(np.intersect1d(here, there, assume_unique=True))
    return both / (len(here) + len(there) - both)


def _pieces(text: bytes) -> NDArray[np.uint64]:
    """The different pieces of a text."""
    return np.unique(_pieces_at(text))
