"""Step entries as rows with bars: when each began, how long it took, and its values when the history has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from ..history.entry_store import IN_PROGRESS, EntryRecord
from ..history.recorder import FAILED
from ..running.observer import Kind, ValueKind
from .tally import CANCELLED
from .texts import pretty, seconds
from .view import ExecutionView

ROWS: Final = 500
_STATES: Mapping[str, str] = {FAILED: "failed", IN_PROGRESS: "open", CANCELLED: "cancelled"}
_DEEPEST_INDENT = 8
# How the number of a part is written, which counts from 0.
_PARTS: Mapping[str, str] = {
    Kind.FOR_ITERATION: "iteration {}",
    Kind.CONDITION: "condition {}",
    Kind.PARALLEL_BRANCH_ENTRY: "branch {}",
}
_CAPTIONS: Mapping[str, str] = {
    ValueKind.ARGUMENTS: "arguments",
    ValueKind.RESULT: "result",
    ValueKind.EXPECTED: "expected iterations",
    ValueKind.ITEM: "item",
    ValueKind.CAUGHT: "caught",
    ValueKind.RETURNED: "returned",
}


def timeline(view: ExecutionView) -> str:
    """The rows of the first entries of an execution."""
    return "".join(_rows(view))


def _rows(view: ExecutionView) -> Iterator[str]:
    depths: dict[int, int] = {0: -1}
    span = max(view.until - view.created, 1e-9)
    yield '<div class="timeline">'
    for entry in view.entries[:ROWS]:
        depths[entry.id] = depths.get(entry.parent, -1) + 1
        yield _row(entry, view, span, min(depths[entry.id], _DEEPEST_INDENT))
    yield "</div>"
    if len(view.entries) > ROWS:
        yield f'<p class="note">The first {ROWS} of {len(view.entries)} entries; stepEntries of the API has all.</p>'


def _row(entry: EntryRecord, view: ExecutionView, span: float, depth: int) -> str:
    end = view.until if entry.state == IN_PROGRESS else entry.updated
    left = min(100.0, max(0.0, (entry.created - view.created) / span * 100))
    width = min(100.0 - left, max(0.0, (end - entry.created) / span * 100))
    state = _STATES.get(entry.state, "ran")
    took = "under way" if entry.state == IN_PROGRESS else seconds(end - entry.created)
    thread = entry.key.rpartition("/")[0]
    where = f' title="branch {escape(thread)}"' if thread else ""
    head = (
        f'<span class="what" style="--depth:{depth}"{where}>{_name(entry)}</span>'
        f'<span class="track"><span class="bar" style="left:{left:.3f}%;width:{width:.3f}%"></span></span>'
        f'<span class="took">{took}</span>'
    )
    values = "".join(_values(entry))
    if not values:
        return f'<div class="row {state}">{head}</div>'
    return f'<details class="{state}"><summary class="row {state}">{head}</summary><dl>{values}</dl></details>'


def _name(entry: EntryRecord) -> str:
    if entry.kind in _PARTS and entry.part is not None:
        part = escape(entry.label) or _PARTS[entry.kind].format(entry.part + 1)
    elif entry.kind == Kind.RETRY:
        part = f"retry {entry.part}"
    else:
        part = {Kind.TRY.value: "try", Kind.EXCEPT.value: "except"}.get(entry.kind, "")
    if part:
        return f"<i>{part}</i>"
    kind = entry.kind.removeprefix("STEP_").replace("_", " ").lower()
    return f"<b>{escape(entry.step)}</b> <small>{escape(kind)}</small>"


def _values(entry: EntryRecord) -> Iterator[str]:
    for kind, name, value in json.loads(entry.notes):
        if kind == ValueKind.CONDITION:
            caption = f"condition {int(name) + 1}"
        else:
            caption = " ".join(filter(None, (_CAPTIONS.get(kind, ""), name)))
        yield f"<dt>{escape(caption)}</dt><dd><pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre></dd>"
    if entry.exception is not None:
        yield f'<dt>exception</dt><dd><pre class="bad">{escape(pretty(entry.exception))}</pre></dd>'
