"""Tables of cases beside a definition: read, played with simulated time and mocked calls, judged, and their coverage.

The format of the file is described in one place, `cases.FORMAT`, which ``test --help`` prints.
"""

from __future__ import annotations

from .cases import FORMAT, Case
from .coverage import Coverage, Report
from .player import Outcome, play
from .reader import read_cases
from .verdict import Mismatch, mismatches

__all__ = ["FORMAT", "Case", "Coverage", "Mismatch", "Outcome", "Report", "mismatches", "play", "read_cases"]
