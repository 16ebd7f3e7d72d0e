"""``droptune drop PATH``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ..connection import connect
from ..options import data_option, json_option, project_option


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--watch", is_flag=True, help="Follow the run until it ends; exit code 1 when no model is registered.")
@click.option("--name", metavar="NAME", help="Name of the data set.  [default: the file's or folder's name]")
@click.option(
    "--set", "wishes", metavar="KEY=VALUE", multiple=True, help="Ask for something, as in job.yaml: train_steps=50."
)
@data_option
@project_option
@json_option
@click.pass_context
def drop(
    context: click.Context,
    path: Path,
    watch: bool,
    name: str | None,
    wishes: tuple[str, ...],
    data: Path,
    project: str | None,
    as_json: bool,
) -> None:
    """Upload a .jsonl file, or a folder with train.jsonl (and eval.jsonl, job.yaml), and print the id of its run."""
    from ..bucket import CloudBucket, reader_of
    from ..dropping import find_run, perform, prepare
    from ..ledger import to_json
    from ..terminal import people_console, print_data
    from ..watching import ending, exit_code, watch_run

    connection = connect(data, project)
    todo = prepare(path, name, wishes)
    console = people_console()
    if todo.left_out:
        console.print(f"left out, not part of a data set: {', '.join(todo.left_out)}", soft_wrap=True)
    reader = reader_of(connection)
    before = frozenset(reader.run_ids())
    intake = CloudBucket(connection.storage_client(), connection.intake)
    dropped = perform(
        todo, intake, lambda name: console.print(f"uploaded gs://{connection.intake}/{name}", soft_wrap=True)
    )
    run_id = find_run(dropped, before, reader, time.sleep)
    if not as_json:
        click.echo(run_id)
    if not watch:
        if as_json:
            click.echo(to_json({"run_id": run_id}))
        console.print(f"Follow it with `droptune watch {run_id}`.", soft_wrap=True)
        return
    story = watch_run(connection, run_id)
    assert story is not None, "its report was there a moment ago"
    if as_json:
        click.echo(to_json(story))
    else:
        print_data(ending(story, connection.run_folder(run_id)), to_people=True)
    context.exit(exit_code(story))
