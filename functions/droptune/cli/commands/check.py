"""``droptune check PATH…``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..group import CliError, Exit
from ..options import json_option

if TYPE_CHECKING:
    from ...datasets.report import Report


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--eval", "held_out", metavar="FILE", type=click.Path(path_type=Path), help="Held-out rows for a file.")
@json_option
@click.pass_context
def check(context: click.Context, paths: tuple[Path, ...], held_out: Path | None, as_json: bool) -> None:
    """Report every finding in data sets, as a run would: a .jsonl file each, or folders. Nothing is uploaded.

    Exit codes: 0 usable, 1 findings that block, 2 usage, 3 a file cannot be read.
    """
    from ..checking import check_path
    from ..ledger import to_json

    try:
        reports = [check_path(path, held_out) for path in paths]
    except OSError as error:
        raise CliError(f"{error.filename or 'a file'} cannot be read: {error.strerror}. Check the path.") from error
    if as_json:
        click.echo(to_json(reports))
    else:
        for path, report in zip(paths, reports, strict=True):
            _print(path, report)
    context.exit(Exit.DONE if all(report.status == "ready" for report in reports) else Exit.YOUR_INPUT)


def _print(path: Path, report: Report) -> None:
    from ..terminal import people_console, print_data
    from ..views.checked import checked
    from ..views.stages import findings_in_words

    print_data(checked(report))
    people = people_console()
    usable = report.status == "ready"
    words = "usable" if usable else "not usable"
    people.print(f"{path}: {words}, {findings_in_words(report.counts)}", soft_wrap=True)
    if usable:
        people.print(f"Next: droptune drop {path} --watch", soft_wrap=True)
