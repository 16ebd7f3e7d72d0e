"""The exit statuses of all commands."""

from __future__ import annotations

from typing import Final

FINE: Final = 0
PROBLEMS: Final = 1  # found by lint, by a failed case, or by an execution that failed
USAGE: Final = 2  # also a definition that is refused where it is to be run
UNREADABLE: Final = 3
INTERRUPTED: Final = 130  # by Ctrl-C, as shells say it
