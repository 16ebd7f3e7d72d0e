"""``droptune runs``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ..connection import connect
from ..options import data_option, json_option, project_option


@click.command()
@data_option
@project_option
@json_option
@click.option("--all", "everything", is_flag=True, help="Also data sets that waited for files which then came.")
def runs(data: Path, project: str | None, as_json: bool, everything: bool) -> None:
    """List the runs, the latest first."""
    from ..bucket import reader_of
    from ..ledger import LedgerError, to_json
    from ..story import without_superseded
    from ..terminal import people_console, print_data
    from ..views.runs import runs_table

    connection = connect(data, project)
    reader = reader_of(connection)
    found = []
    for run_id in reader.run_ids():
        try:
            story = reader.story(run_id)
        except LedgerError as error:
            people_console().print(f"{run_id} is left out: {error.message}", soft_wrap=True)
            continue
        if story is not None:
            found.append(story)
    if not everything:
        found = without_superseded(found)
    found.sort(key=lambda story: story.began or 0.0, reverse=True)
    if as_json:
        click.echo(to_json(found))
    elif found:
        print_data(runs_table(found, time.time()))
    else:
        people_console().print("No runs yet. Start one with `droptune drop PATH`.", soft_wrap=True)
