"""The page of an execution: one self-contained HTML text that needs no network, no script and no server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ..service.definitions import program_of
from .drawing import anchor, routine_svg
from .graph import RoutineGraph, graphs_of
from .source_view import error_snippet, source_listing
from .style import STYLE
from .tally import Tallies, tallies
from .texts import moment, pretty, seconds
from .timeline import timeline
from .view import ExecutionView

_LEGEND = (("ran", "was run"), ("failed", "failed"), ("open", "under way"), ("idle", "never run"))


def document(title: str, body: str, *, refresh_seconds: int | None = None) -> str:
    """A whole HTML document."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_seconds}">' if refresh_seconds else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">{refresh}'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def execution_page(view: ExecutionView, *, navigation: str = "", refresh_seconds: int | None = None) -> str:
    """The page of an execution; `navigation` is HTML that leads to other pages, where there are any."""
    _, _, _, _, _, workflow, _, identity = view.name.split("/")
    graphs = graphs_of(program_of(view.source))
    counts = tallies(view.entries, view.until, view.overflow)
    body = "".join(
        (
            navigation,
            _head(view, workflow, identity),
            _outcome(view),
            _steps(graphs, counts),
            _times(view),
            '<details class="card"><summary class="head">Source</summary>',
            source_listing(view.source, graphs, counts, view.error),
            "</details>",
        )
    )
    return document(f"{workflow} {view.state}", body, refresh_seconds=refresh_seconds)


def _head(view: ExecutionView, workflow: str, identity: str) -> str:
    labels = "".join(f"<span>{escape(key)}: <b>{escape(value)}</b></span>" for key, value in view.labels.items())
    ended = f"<span>ended <b>{moment(view.ended)}</b></span>" if view.ended is not None else ""
    return (
        f'<h1>{escape(workflow)} <span class="pill {escape(view.state)}">{escape(view.state)}</span></h1>'
        f'<div class="facts"><span>execution <b>{escape(identity)}</b></span>'
        f"<span>revision <b>{escape(view.revision)}</b></span><span>started <b>{moment(view.created)}</b></span>{ended}"
        f"<span>took <b>{seconds(view.until - view.created)}</b></span>"
        f"<span>step entries <b>{len(view.entries)}</b></span>{labels}</div>"
    )


def _outcome(view: ExecutionView) -> str:
    if view.error is not None:
        context = escape(str(view.error.get("context", "")))
        payload = escape(pretty(str(view.error.get("payload", ""))))
        outcome = (
            f'<h2 class="bad">Error</h2><pre class="bad">{context}</pre>{error_snippet(view.source, view.error)}'
            f'<p class="note">payload</p><div class="box"><pre>{payload}</pre></div>'
        )
    elif view.result is not None:
        outcome = f'<h2>Result</h2><div class="box"><pre>{escape(pretty(view.result))}</pre></div>'
    else:
        outcome = '<h2>Result</h2><p class="note">not there yet</p>'
    argument = (
        f'<div class="box"><pre>{escape(pretty(view.argument))}</pre></div>'
        if view.argument is not None
        else '<p class="note">none was given</p>'
    )
    return (
        f'<div class="pair" style="margin-top:16px"><section class="card"><h2>Argument</h2>{argument}</section>'
        f'<section class="card">{outcome}</section></div>'
    )


def _steps(graphs: Sequence[RoutineGraph], counts: Tallies) -> str:
    legend = "".join(f'<span class="{state}"><i></i>{text}</span>' for state, text in _LEGEND)
    routines = "".join(_routine(graph, counts) for graph in graphs)
    return (
        f'<section class="card"><h2>Steps</h2><div class="legend">{legend}</div>'
        f'<div class="routines">{routines}</div></section>'
    )


def _routine(graph: RoutineGraph, counts: Tallies) -> str:
    parameters = escape(", ".join(graph.parameters))
    return (
        f'<div class="routine" id="{escape(anchor(graph.name))}">'
        f"<h3>{escape(graph.name)}<small>({parameters})</small></h3>"
        f'<div class="scroll">{routine_svg(graph, counts)}</div></div>'
    )


def _times(view: ExecutionView) -> str:
    return f'<section class="card"><h2>Times</h2>{"".join(_notes(view))}{timeline(view)}</section>'


def _notes(view: ExecutionView) -> Iterator[str]:
    if not view.entries:
        yield '<p class="note">There are no step entries: none was run yet, or the history was deleted.</p>'
    elif not view.detailed:
        yield (
            '<p class="note">Without values: run it with executionHistoryLevel EXECUTION_HISTORY_DETAILED to see '
            "them here.</p>"
        )
    if view.overflow is not None:
        yield '<p class="note">The history has its first entries only; the counts of the steps above are of all.</p>'
