"""An error that left an execution: the step that failed, drawn, who called it, and the branches that it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from ..errors import WorkflowError
from .drawing import Remark, draw


def failure_lines(file: str, lines: Sequence[str], error: WorkflowError) -> Iterator[Text]:
    """The lines to show, innermost step first. `file` and `lines` are the definition's."""
    frames = error.trace or ()
    if not frames:
        yield Text.assemble((f"{file}: ", "bold"), ("error: ", "bold red"), (error.headline(), "bold"))
    for place, frame in enumerate(frames):
        if place == 0:
            step = f"{frame.routine}.{frame.step}"
            remark = Remark("error", error.headline(), frame.position, step=step)
        else:
            remark = Remark("note", f"called by step {frame.step} of {frame.routine}", frame.position)
        yield from draw(file, lines, remark)
    for branch in _branches(error):
        identity, context = branch
        yield Text.assemble(("      = ", "blue"), (f"branch {identity}: ", "bold"), context.replace("\n", "; "))


def _branches(error: WorkflowError) -> Iterator[tuple[str, str]]:
    """Identity and context of each failed branch, where the error has such."""
    branches = error.payload.get("branches") if isinstance(error.payload, dict) else None
    for branch in branches if isinstance(branches, list) else ():
        match branch:
            case {"id": str() as identity, "error": {"context": str() as context}}:
                yield identity, context
