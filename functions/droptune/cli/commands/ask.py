"""``droptune ask RUN "text"``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..connection import Connection, connect
from ..group import CliError, InputError
from ..options import data_option, json_option, project_option

if TYPE_CHECKING:
    from ..story import Story


@click.command()
@click.argument("run")
@click.argument("text")
@click.option("--max-tokens", type=click.IntRange(1, 8192), default=64, show_default=True, help="Length of an answer.")
@data_option
@project_option
@json_option
def ask(run: str, text: str, max_tokens: int, data: Path, project: str | None, as_json: bool) -> None:
    """Put TEXT to the tuned model of RUN and to its base model, side by side."""
    from ...errors import DroptuneError
    from ..bucket import reader_of
    from ..ledger import to_json
    from ..terminal import people_console, print_data
    from ..views.answers import side_by_side

    connection = connect(data, project)
    story = reader_of(connection).story(run)
    if story is None:
        raise InputError(f"there is no run {run!r}. List them with `droptune runs`.")
    if story.endpoint is None or story.report is None or story.report.base_model is None:
        raise InputError(f"run {run} is {story.status}: no endpoint serves a model of it. See `droptune show {run}`.")
    try:
        with people_console().status("asking both models; the first question waits until they are loaded"):
            tuned, base = _answers(connection, story, story.endpoint, story.report.base_model, text, max_tokens)
    except DroptuneError as error:
        raise CliError(f"{error}. Look with `droptune doctor`.") from error
    if as_json:
        click.echo(to_json({"prompt": text, "tuned": tuned, "base": base}))
    else:
        print_data(side_by_side(text, tuned, base, story.report.base_model))


def _answers(
    connection: Connection, story: Story, endpoint: str, base_model: str, text: str, max_tokens: int
) -> tuple[str, str]:
    from ...clients.rest import GoogleRest
    from ...clients.vertex import VertexPredictor
    from ...methods.catalogue import base_models
    from ...ports import Turn
    from ...settings import Settings

    known = base_models().get(base_model)
    if known is None:
        raise CliError(f"base model {base_model!r} of run {story.run_id} is not in this version's catalogue.")
    region = endpoint.split("/")[3]  # projects/P/locations/L/endpoints/E
    settings = Settings(connection.project, region, connection.intake, connection.runs, connection.vertex)
    predictor = VertexPredictor(GoogleRest(), settings, region, known)
    prompt = (Turn("user", text),)
    return predictor.generate(endpoint, [prompt], max_tokens)[0], predictor.generate(base_model, [prompt], max_tokens)[
        0
    ]
