"""What became of a file that was corrected."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...events import Format
from .changes import Changes


@dataclass
class Fixed:
    """How many rows were kept and removed, and what was changed.

    `refused` is the code of what the file is, when it is none that can be put right. `damaged` says that a compressed
    file ended early.
    """

    format: Format | None = None
    refused: str | None = None
    kept: int = 0
    removed: int = 0
    changes: Changes = field(default_factory=Changes)
    damaged: bool = False
