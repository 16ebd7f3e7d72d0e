"""A place in a text, drawn as compilers do: `file:line:column: what is wrong`, the line, a caret below the place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from ..errors import Position
from ..expressions.lexer import closing_brace

STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\'\'|[^\'])*\'')
_WORD = re.compile(r"[^\s,:\[\]{}()#+*/%<>=]+")


@dataclass(frozen=True)
class Remark:
    """Something to say about a place. `label` is a key of STYLES; `code` stands after the message."""

    label: str
    message: str
    position: Position
    code: str | None = None
    hint: str | None = None
    step: str | None = None


def draw(file: str, lines: Sequence[str], remark: Remark) -> Iterator[Text]:
    """The lines of a remark on a text. A place outside the text is drawn without its source line."""
    place = remark.position
    style = STYLES[remark.label]
    head = Text()
    head.append(f"{file}:{place.line}:{place.column}: ", "bold")
    head.append(f"{remark.label}: ", style)
    head.append(remark.message, "bold")
    if remark.code is not None:
        head.append(f" [{remark.code}]", style)
    yield head
    if 1 <= place.line <= len(lines):
        yield from _source_line(lines[place.line - 1], place, style)
    if remark.step is not None:
        yield Text.assemble(("      = ", "blue"), ("step: ", "bold"), remark.step)
    if remark.hint is not None:
        yield Text.assemble(("      = ", "blue"), ("help: ", "bold"), remark.hint)


def _source_line(line: str, place: Position, style: str) -> Iterator[Text]:
    yield Text.assemble((f"{place.line:5} | ", "blue"), line.replace("\t", " "))
    before = line[: place.column - 1]
    carets = cell_len(line[place.column - 1 :][: span(line, place.column)])
    yield Text.assemble(("      | ", "blue"), " " * cell_len(before), ("^" * max(1, carets), style))


def span(line: str, column: int) -> int:
    """How many characters from `column` belong together: an expression, a quoted string, or a word. At least 1."""
    rest = line[column - 1 :]
    if rest.startswith("${"):
        end = closing_brace(rest, 2)
        return len(rest.rstrip()) if end is None else end + 1
    match = _QUOTED.match(rest) or _WORD.match(rest)
    return len(match[0]) if match else 1
