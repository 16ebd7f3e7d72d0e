"""``droptune show RUN``."""

from __future__ import annotations

from pathlib import Path

import click

from ..connection import connect
from ..group import InputError
from ..options import data_option, json_option, project_option


@click.command()
@click.argument("run")
@data_option
@project_option
@json_option
def show(run: str, data: Path, project: str | None, as_json: bool) -> None:
    """Tell the whole story of RUN, as its ledger in the runs bucket tells it."""
    from ..bucket import reader_of
    from ..ledger import to_json
    from ..terminal import print_data
    from ..views.report import whole_story

    connection = connect(data, project)
    story = reader_of(connection).story(run)
    if story is None:
        raise InputError(f"there is no run {run!r}. List them with `droptune runs`.")
    if as_json:
        click.echo(to_json(story))
    else:
        print_data(whole_story(story, connection.run_folder(run)))
