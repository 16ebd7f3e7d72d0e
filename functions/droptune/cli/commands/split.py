"""``droptune split FILE``."""

from __future__ import annotations

from pathlib import Path

import click

from ..group import InputError
from ..options import json_option
from ..rewriting import Outputs, beside, file_argument, force_option, format_of_file, format_option, opener


@click.command()
@file_argument
@click.option(
    "--share",
    metavar="SHARE",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Hold out about this share of the rows.  [default: 0.1, but 10 to 250 rows, as a run does]",
)
@click.option("--rows", metavar="N", type=click.IntRange(min=1), help="Hold out about so many rows.")
@click.option("--seed", metavar="TEXT", help="Another choice for each text.")
@force_option
@format_option
@json_option
def split(
    path: Path,
    share: float | None,
    rows: int | None,
    seed: str | None,
    force: bool,
    format_name: str | None,
    as_json: bool,
) -> None:
    """Divide FILE into rows to train on and rows to evaluate with, by a hash of their prompts.

    Rows with the same prompt stay together, and the same rows are divided the same way on any machine, in any order.
    Exit codes: 0 done, 1 the rows cannot be divided, 2 usage, 3 the file cannot be read.
    """
    from ...datasets.holdout import CannotHoldOut, NotARow, choose, digests, size_of_rows, size_of_share, usual_size
    from ..ledger import to_json

    if share is not None and rows is not None:
        raise click.UsageError("--share and --rows exclude each other.")
    size_for = size_of_share(share) if share is not None else usual_size if rows is None else size_of_rows(rows)
    opened = opener(path)
    fmt = format_of_file(opened, format_name, path)
    train, held_out = beside(path, "train"), beside(path, "eval")
    written = {train: 0, held_out: 0}
    with Outputs(train, held_out, read=path, force=force) as outputs:
        try:
            with opened() as stream:
                chosen = choose((digest for digest, _ in digests(stream, fmt, seed)), size_for)
        except NotARow as error:
            raise InputError(f"{path} has a broken row. {error}. Run `droptune fix {path}` first.") from error
        except CannotHoldOut as error:
            raise InputError(f"{path} cannot be divided: {error}. Ask for another --share or --rows.") from error
        files = {name: outputs.open(name) for name in (train, held_out)}
        with opened() as stream:
            for digest, line in digests(stream, fmt, seed):
                name = held_out if digest in chosen else train
                files[name].write(line + b"\n")
                written[name] += 1
    if as_json:
        click.echo(to_json({"format": fmt.name, "files": [{"file": str(f), "rows": n} for f, n in written.items()]}))
        return
    for name, count in written.items():
        click.echo(f"{name}: {count:,} rows")
