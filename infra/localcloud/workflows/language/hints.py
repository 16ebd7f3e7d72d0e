"""What a wrong name was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Collection

# Among more names than these a guess would take longer than it helps.
_MOST_NAMES = 200
_LIKENESS = 0.75


def did_you_mean(name: str, known: Collection[str]) -> str:
    """`; did you mean 'x'?` for the name most like `name`, or nothing when none is much like it."""
    if len(known) > _MOST_NAMES:
        return ""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=_LIKENESS)
    return f"; did you mean {close[0]!r}?" if close else ""
