"""A refused text, drawn problem by problem."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..errors import SourceError
from .drawing import Remark, draw
from .terminal import Output


def split_advice(message: str) -> tuple[str, str | None]:
    """What is wrong, and what to do: in the engine's messages the second follows a semicolon.

    A message that quotes an expression is left whole, since semicolons may be part of that.
    """
    wrong, semicolon, advice = message.partition("; ")
    return (wrong, advice) if semicolon and "${" not in message else (message, None)


def draw_refusal(file: str, lines: Sequence[str], error: SourceError) -> None:
    """Draw every problem on standard error."""
    output = Output(sys.stderr)
    for problem in error.problems:
        message, advice = split_advice(problem.message)
        for line in draw(file, lines, Remark("error", message, problem.position, None, advice, problem.step)):
            output.line(line)
        output.line()
