"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .connection import default_data_folder

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


def pipeline_option(command: F) -> F:
    """``--pipeline``: another wiring file."""
    return click.option(
        "--pipeline",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The wiring file.  [default: infra/pipeline.yaml of this installation]",
    )(command)
