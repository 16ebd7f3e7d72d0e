"""What is asked of every text of a column, or every byte of a block, and would take longest one by one in Python.

It is compiled where a C compiler is at hand when the package is installed; elsewhere, and where the sources are
deployed as they are, Python and numpy do the same.
"""

from __future__ import annotations

try:
    from .native import blanks, counts, hashes, lengths, line_ends, with_more_keys
except ImportError:
    from .plain import blanks, counts, hashes, lengths, line_ends, with_more_keys

__all__ = ["blanks", "counts", "hashes", "lengths", "line_ends", "with_more_keys"]
