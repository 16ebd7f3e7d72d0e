"""Running a command of the local Workflows inside the test, and comparing what it prints with a stored text."""

from __future__ import annotations

import os
import re
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest

from localcloud.__main__ import main

COMMANDS = Path(__file__).parents[2] / "cases" / "workflows_commands"
_REAL_TIME = re.compile(r"in \d+\.\d\d s")


@dataclass(frozen=True)
class Ran:
    """What a command gave."""

    status: int
    out: str
    err: str


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
    """Run ``python -m localcloud workflows ARGUMENTS`` in the folder of the cases."""
    capsys.readouterr()
    with chdir(COMMANDS):
        try:
            status = main(["workflows", *arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
    printed = capsys.readouterr()
    return Ran(status, printed.out, printed.err)


def check_golden(name: str, printed: str) -> None:
    """Compare with the stored text, real times aside; with UPDATE_GOLDEN=1 in the environment store it anew."""
    path = COMMANDS / name
    masked = _REAL_TIME.sub("in N s", printed)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(masked, encoding="utf-8")
    assert masked == path.read_text(encoding="utf-8")
