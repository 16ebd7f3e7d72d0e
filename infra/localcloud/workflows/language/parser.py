"""A definition's text to a `Program`. What the service refuses at deployment is refused here, all of it at once."""

from __future__ import annotations

from ..errors import Problem, SourceError
from .checks import problems_of
from .reader import Reader
from .source import Mapping, Sequence, Tree, read_source
from .syntax import Program, Routine


def parse(text: str) -> Program:
    """The program of a source text, checked. SourceError with step, line and column of every problem otherwise."""
    problems: list[Problem] = []
    tree = read_source(text, problems)
    routines = _routines(tree, problems)
    if routines is not None:
        program = Program(routines)
        # A step that could not be read is not checked further, so that one mistake is one problem.
        unread = {problem.step for problem in problems}
        problems += [problem for problem in problems_of(program) if problem.step not in unread]
        if not problems:
            return program
    raise SourceError(problems)


def _routines(tree: Tree, problems: list[Problem]) -> dict[str, Routine] | None:
    """The routines by name; None when one cannot be read at all, or there is no main."""
    reader = Reader(problems)
    found: dict[str, Routine] = {}
    match tree:
        case Sequence():
            with reader.collecting():
                found["main"] = Routine("main", (), reader.block(tree, None, 0), tree.position)
            return found or None
        case Mapping(entries=entries):
            for entry in entries:
                with reader.collecting():
                    found[entry.key] = reader.routine(entry)
            if tree.get("main") is None:
                reader.note("there is no routine named main; every execution starts there", tree.position, None)
            return found if "main" in found and len(found) == len(entries) else None
        case _:
            reader.note("a workflow is a list of steps, or a map of routines with a main", tree.position, None)
            return None
