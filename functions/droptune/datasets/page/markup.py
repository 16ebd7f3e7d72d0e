"""Text as HTML. Rows are hostile: whatever comes from them passes through here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

_QUOTED = re.compile(r"`([^`]+)`")
# What HTML forbids in text (controls apart from white space, halves of surrogate pairs, non-characters), and what would
# turn the direction of the text around it.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def plain(text: str) -> str:
    """Text for an element or a quoted attribute."""
    return escape(_FORBIDDEN.sub("\ufffd", text))


def prose(text: str) -> str:
    """A sentence of ours with values of theirs: what stands in backquotes is set as code."""
    return _QUOTED.sub(r"<code>\1</code>", plain(text))


def code(text: str) -> str:
    """A name or value, as it stands in a file."""
    return f"<code>{plain(text)}</code>"


def icon(name: str) -> str:
    """One of the page's drawings; words beside it say the same."""
    return f'<svg class="icon" aria-hidden="true"><use href="#i-{name}"/></svg>'


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int, style: str = ""
) -> str:
    """A table of cells that are HTML already; the first of a row is its heading, numbers are set to the right.

    Each cell knows its column's name, for screens too narrow for columns.
    """
    numbers = [' class="number"' if index >= numbers_from else "" for index in range(len(head))]
    heads = "".join(f'<th scope="col"{number}>{cell}</th>' for cell, number in zip(head, numbers, strict=True))
    body = "".join(_row(row, head, numbers) for row in rows)
    return (
        f'<div class="scroll {style}" role="region" aria-label="{plain(caption)}" tabindex="0"><table>'
        f'<caption class="unseen">{plain(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[str], head: Sequence[str], numbers: Sequence[str]) -> str:
    cells = "".join(
        f'<td{number} data-column="{plain(column)}">{cell}</td>'
        for cell, column, number in list(zip(row, head, numbers, strict=True))[1:]
    )
    return f'<tr><th scope="row">{row[0]}</th>{cells}</tr>'
