"""`GET /ui`: workflows, executions and one execution as HTML pages of the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from html import escape
from itertools import islice
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ...http import GoogleError
from ..engine import Engine
from .page import document, execution_page
from .texts import moment, seconds
from .view import execution_view

EXECUTIONS_SHOWN: Final = 100
_REFRESH_SECONDS = 2
_WORKFLOW = "/ui/projects/{project}/locations/{location}/workflows/{workflow}"
# The pages hold what executions hold: nothing in them may run or be fetched.
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}


def ui_routes(engine: Engine) -> list[Route]:
    """The routes of the pages."""
    pages = _Pages(engine)
    return [
        Route("/ui", _shown(pages.workflows)),
        Route("/ui/", _shown(pages.workflows)),
        Route(_WORKFLOW, _shown(pages.workflow)),
        Route(_WORKFLOW + "/executions/{execution}", _shown(pages.execution)),
    ]


def _shown(page: Callable[[Request], str]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            return HTMLResponse(page(request), headers=_HEADERS)
        except GoogleError as error:
            body = f"{_navigation()}<h1>{escape(error.status)}</h1><p>{escape(error.message)}</p>"
            return HTMLResponse(document(error.status, body), status_code=error.http_status, headers=_HEADERS)

    return respond


class _Pages:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def workflows(self, request: Request) -> str:
        """All workflows of all projects."""
        rows = []
        for workflow in self._engine.definitions.all():
            parent, _, identity = workflow["name"].rpartition("/workflows/")
            link = f'<a href="{_link(workflow["name"])}">{escape(identity)}</a>'
            latest = next(iter(self._engine.executions.of_workflow(workflow["name"])), None)
            state = f'<a href="{_link(latest.name)}">{_pill(latest.state)}</a>' if latest is not None else ""
            rows.append((link, state, escape(parent), escape(workflow["revisionId"]), escape(workflow["updateTime"])))
        table = _table(
            ("workflow", "last execution", "location", "revision", "updated"), rows, "No workflow is deployed."
        )
        return document("Workflows", f"<h1>Workflows</h1>{table}")

    def workflow(self, request: Request) -> str:
        """The newest executions of a workflow."""
        name = _name(request)
        found = list(islice(self._engine.executions.of_workflow(name), EXECUTIONS_SHOWN + 1))
        rows = []
        for record in found[:EXECUTIONS_SHOWN]:
            until = record.ended if record.ended is not None else self._engine.clock.now()
            link = f'<a class="mono" href="{_link(record.name)}">{escape(record.name.rpartition("/")[2])}</a>'
            took = seconds(until - record.created)
            rows.append((link, _pill(record.state), took, moment(record.created), escape(record.revision)))
        table = _table(("execution", "state", "took", "started", "revision"), rows, "There is no execution yet.")
        more = f"The newest {EXECUTIONS_SHOWN}; the API lists all." if len(found) > len(rows) else ""
        title = name.rpartition("/")[2]
        return document(title, f'{_navigation()}<h1>{escape(title)}</h1>{table}<p class="note">{more}</p>')

    def execution(self, request: Request) -> str:
        """One execution; one under way is read again every few seconds."""
        view = execution_view(self._engine, f"{_name(request)}/executions/{request.path_params['execution']}")
        refresh = _REFRESH_SECONDS if view.ended is None else None
        return execution_page(view, navigation=_navigation(_name(request)), refresh_seconds=refresh)


def _table(captions: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> str:
    """A table of HTML cells. On a narrow screen its last two columns are left out."""
    if not rows:
        return f'<section class="card"><p class="note">{empty}</p></section>'
    head = "".join(f"<th>{caption}</th>" for caption in captions)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<section class="card"><table><tr>{head}</tr>{lines}</table></section>'


def _pill(state: str) -> str:
    return f'<span class="pill {escape(state)}">{escape(state)}</span>'


def _name(request: Request) -> str:
    path = request.path_params
    return f"projects/{path['project']}/locations/{path['location']}/workflows/{path['workflow']}"


def _link(name: str) -> str:
    return f"/ui/{quote(name)}"


def _navigation(workflow: str | None = None) -> str:
    own = f' / <a href="{_link(workflow)}">{escape(workflow.rpartition("/")[2])}</a>' if workflow else ""
    return f'<nav><a href="/ui">Workflows</a>{own}</nav>'
