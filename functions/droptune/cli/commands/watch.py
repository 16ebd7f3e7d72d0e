"""``droptune watch RUN``."""

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
@click.pass_context
def watch(context: click.Context, run: str, data: Path, project: str | None, as_json: bool) -> None:
    """Follow RUN until it ends; exit code 0 when its model was registered, 1 when not."""
    from ..ledger import to_json
    from ..terminal import print_data
    from ..watching import ending, exit_code, watch_run

    connection = connect(data, project)
    story = watch_run(connection, run)
    if story is None:
        raise InputError(f"there is no run {run!r}. List them with `droptune runs`.")
    if as_json:
        click.echo(to_json(story))
    else:
        print_data(ending(story, connection.run_folder(run)))
    context.exit(exit_code(story))
