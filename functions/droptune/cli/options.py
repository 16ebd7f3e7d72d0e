"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from .connection import default_data_folder
from .group import CliError

F = TypeVar("F", bound=Callable[..., Any])


def data_option(command: F) -> F:
    """``--data``: the folder of the local cloud."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=default_data_folder,
        envvar="DROPTUNE_DATA",
        show_envvar=True,
        help="Folder of the local cloud's state.  [default: droptune/cloud in your user state folder]",
    )(command)


def project_option(command: F) -> F:
    """``--project``: Google Cloud in place of the local cloud."""
    return click.option(
        "--project",
        metavar="PROJECT",
        help="Use this Google Cloud project, with your application default credentials, not the local cloud.",
    )(command)


def json_option(command: F) -> F:
    """``--json``: for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def json_errors(command: F) -> F:
    """With ``--json``, what a command refuses is an object of its own on standard output: ``{"error": "…"}``.

    It stands below `json_option`. Usage errors are for whoever writes the command line, and stay on standard error.
    """

    @wraps(command)
    def told(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except CliError as error:
            if options["as_json"]:
                from .ledger import to_json

                click.echo(to_json({"error": error.format_message()}))
            raise

    return cast(F, told)


def pipeline_option(command: F) -> F:
    """``--pipeline``: another wiring file."""
    return click.option(
        "--pipeline",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The wiring file.  [default: infra/pipeline.yaml of this installation]",
    )(command)
