"""Where commands write: results on standard output, words about the work on standard error; colours on a terminal."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

STDIN = "-"


class Unreadable(Exception):
    """A file that cannot be read; the message says which and why."""


def read_text(path: str) -> str:
    """The text of a file, or of standard input for ``-``. Unreadable."""
    try:
        return sys.stdin.read() if path == STDIN else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: not UTF-8 text (byte {error.start + 1})") from error


def write_text(path: str, text: str) -> None:
    """Write a file. Unreadable when that is not possible."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error


def shown_name(path: str) -> str:
    """How a file is called in messages."""
    return "<stdin>" if path == STDIN else path


def workflow_name(path: str) -> str:
    """The name of the workflow that a file defines: its own, as far as the service allows it."""
    stem = "" if path == STDIN else Path(path).name.partition(".")[0]
    allowed = re.sub(r"[^A-Za-z0-9_-]", "-", stem).lstrip("0123456789_-")[:64].rstrip("_-")
    return allowed or "workflow"


class Output:
    """Lines with styles, shown as such on a terminal only; nothing is ever wrapped or cut."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._console = Console(file=self._stream, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def line(self, text: Text | str = "") -> None:
        """Write one line."""
        try:
            if self._console.is_terminal:
                self._console.print(text)
            else:
                self._stream.write(f"{text.plain if isinstance(text, Text) else text}\n")
                self._stream.flush()
        except BrokenPipeError:
            # Whoever read this has gone, as `head` does. The work goes on; nothing is written any more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def complain(message: str) -> None:
    """One line on standard error."""
    Output(sys.stderr).line(message)
