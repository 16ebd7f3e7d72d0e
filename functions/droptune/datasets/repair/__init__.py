"""A corrected copy of a file: what is certain is put right, rows that stay wrong are set aside, nothing is lost."""

from __future__ import annotations

from .changes import CHANGES
from .fixing import fix_stream
from .mending import Options
from .outcome import Fixed
from .tables import fix_table

__all__ = ["CHANGES", "Fixed", "Options", "fix_stream", "fix_table"]
