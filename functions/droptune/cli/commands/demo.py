"""``droptune demo``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..group import CliError
from ..options import data_option, pipeline_option

if TYPE_CHECKING:
    from ..cloud import Child
    from ..story import Story
    from ..views.live import Screen
    from ..views.stages import Stage

DATA_SET = Path(__file__).parent.parent / "demo" / "banking10"


@click.command()
@data_option
@pipeline_option
@click.pass_context
def demo(context: click.Context, data: Path, pipeline: Path | None) -> None:
    """Tune, evaluate and register a model on this machine, from start to end.

    Starts the local cloud (or uses the one that runs), drops a data set of banking questions (BANKING77, CC BY 4.0),
    and shows every stage. A model of 135 million parameters is really tuned; the first time it is fetched (93 MB).
    """
    from ..cloud import Child, CloudError, running
    from ..connection import connect, pipeline_file
    from ..terminal import people_console, print_data
    from ..views.demo import ending
    from ..views.live import screen
    from ..watching import exit_code

    child = None if running(data) else Child(pipeline or pipeline_file(), data)
    try:
        with screen(people_console()) as shown:
            story = _run(shown, _start(shown, child), data)
        folder = connect(data).run_folder(story.run_id)
    except CloudError as error:
        raise CliError(f"{error}. Look with `droptune doctor`.") from error
    finally:
        if child is not None:
            child.stop()
    print_data(ending(story, folder, cloud_stays=child is None))
    context.exit(exit_code(story))


def _start(shown: Screen, child: Child | None) -> Stage:
    """The finished stage of the local cloud, which is started when it is a child of ours."""
    from ..views.stages import Stage

    if child is None:
        return Stage("local cloud", "done", "was running already")
    began = time.monotonic()
    up: list[str] = []
    shown.show([Stage("local cloud", "doing", "starting")])
    for started in child.starting():
        if started.component != "cloud":
            up.append(started.component)
            shown.show([Stage("local cloud", "doing", ", ".join(up))])
    done = Stage("local cloud", "done", ", ".join(up), time.monotonic() - began)
    shown.show([done])
    return done


def _run(shown: Screen, cloud: Stage, data: Path) -> Story:
    """Drop the data set and show its run until it ends."""
    from ..bucket import CloudBucket, reader_of
    from ..connection import connect
    from ..dropping import find_run, perform, prepare
    from ..views.stages import Stage
    from ..watching import show_on

    connection = connect(data)
    reader = reader_of(connection)
    before = frozenset(reader.run_ids())
    uploaded: list[str] = []
    dropped = perform(prepare(DATA_SET), CloudBucket(connection.storage_client(), connection.intake), uploaded.append)
    drop = Stage("dropped", "done", f"{', '.join(uploaded)} in gs://{connection.intake}")
    shown.show([cloud, drop, Stage("validated", "doing", "reading the data set")])
    run_id = find_run(dropped, before, reader, time.sleep)
    story = show_on(shown, connection, reader, run_id, [cloud, drop])
    assert story is not None, "its report was there a moment ago"
    return story
