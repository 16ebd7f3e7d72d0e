"""``droptune split FILE``."""

from __future__ import annotations

from pathlib import Path

import click

from ..group import InputError
from ..options import json_errors, json_option
from ..paths import shown, word
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
@click.option("--seed", metavar="TEXT", help="Divide in another way: each text gives one of its own.")
@force_option
@format_option
@json_option
@json_errors
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

    \b
    droptune split cards.jsonl                  # cards.train.jsonl, cards.eval.jsonl
    droptune split cards.jsonl --share 0.2

    Exit codes: 0 done; 1 the rows cannot be divided; 2 usage; 3 the file cannot be read.
    """
    from ...datasets.split import USUAL, CannotSplit, NotARow, divided, held_out_of, number_of_rows, share_of_rows
    from ..ledger import to_json
    from ..views.words import count

    if share is not None and rows is not None:
        raise click.UsageError("--share and --rows exclude each other.")
    quota = share_of_rows(share) if share is not None else USUAL if rows is None else number_of_rows(rows)
    opened = opener(path)
    fmt = format_of_file(opened, format_name, path)
    train, held_out = beside(path, "train"), beside(path, "eval")
    written = {train: 0, held_out: 0}
    with Outputs(train, held_out, read=path, force=force) as outputs:
        try:
            with opened() as stream:
                chosen = held_out_of(stream, fmt, quota, seed)
        except NotARow as error:
            raise InputError(
                f"{shown(path)} has a broken row. {error}. Run `droptune fix {word(str(path))}` first."
            ) from error
        except CannotSplit as error:
            raise InputError(f"{shown(path)} cannot be divided: {error}. Ask for another --share or --rows.") from error
        files = {name: outputs.open(name) for name in (train, held_out)}
        with opened() as stream:
            for held, line in divided(stream, fmt, chosen):
                name = held_out if held else train
                files[name].write(line)
                written[name] += 1
    if as_json:
        click.echo(to_json({"format": fmt.name, "files": [{"file": shown(f), "rows": n} for f, n in written.items()]}))
        return
    for name, number in written.items():
        click.echo(f"{shown(name)}: {count(number, 'row')}")
