"""Showing a run while it goes on, and what its ending means to the shell."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Group

from .bucket import reader_of
from .connection import Connection
from .follow import Snapshot, follow
from .group import Exit
from .jobs import VertexJobs
from .reader import RunsReader
from .story import Story
from .terminal import people_console
from .views.live import Screen, screen
from .views.report import finding, outcome, where
from .views.stages import Stage, stages


def watch_run(connection: Connection, run_id: str) -> Story | None:
    """Show a run's stages on standard error until it ends; None when there is no such run."""
    reader = reader_of(connection)
    with screen(people_console()) as shown:
        return show_on(shown, connection, reader, run_id)


def show_on(
    shown: Screen, connection: Connection, reader: RunsReader, run_id: str, before: Sequence[Stage] = ()
) -> Story | None:
    """Show a run's stages below those of `before` until it ends; None when there is no such run."""
    jobs = VertexJobs(connection.session(), connection.vertex if connection.data is not None else None)
    last: Snapshot | None = None
    for snapshot in follow(run_id, reader, jobs, time.sleep):
        shown.show([*before, *stages(snapshot)])
        last = snapshot
    return last.story if last else None


def ending(story: Story, folder: str) -> Group:
    """What came of it: findings of what was rejected, or scores and verdict; where to look, and what to do next."""
    rejected = story.report.findings if story.report is not None and story.status == "rejected" else ()
    return Group("", *(finding(one) for one in rejected), *outcome(story), "", *where(story, folder))


def exit_code(story: Story) -> Exit:
    """0 for a registered model; 1 where the data set, the tuning or the model did not do."""
    return Exit.DONE if story.status == "registered" else Exit.YOUR_INPUT
