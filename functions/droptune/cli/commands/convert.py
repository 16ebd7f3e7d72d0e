"""``droptune convert FILE --to FORMAT``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..group import Exit, InputError
from ..options import json_errors, json_option
from ..paths import shown
from ..rewriting import (
    Outputs,
    beside,
    file_argument,
    force_option,
    format_of_file,
    format_option,
    opener,
    out_option,
    reasons,
    say,
)

if TYPE_CHECKING:
    from ...datasets.rowformat import RowFormat


@click.command()
@file_argument
@click.option(
    "--to",
    "word",
    metavar="FORMAT",
    required=True,
    help="gemini, open or openai, for the format of theirs that says what these rows say; or a format by its name, "
    "such as gemini_contents.",
)
@out_option
@force_option
@format_option
@json_option
@json_errors
@click.pass_context
def convert(
    context: click.Context,
    path: Path,
    word: str,
    out: Path | None,
    force: bool,
    format_name: str | None,
    as_json: bool,
) -> None:
    """Write FILE in another format beside it, and say what is lost on the way.

    Rows that have no form in that format go to a file of their own, with the reasons.

    \b
    droptune convert train.jsonl --to gemini
    droptune convert comparisons.jsonl --to openai --out preferences.jsonl

    Exit codes: 0 done; 1 rows were rejected, or the formats have no meaning in common; 2 usage; 3 the file cannot be
    read.
    """
    from ...datasets.convert import LOSSES
    from ...datasets.convert.stream import convert_stream
    from ...datasets.setaside import SetAside
    from ..ledger import to_json
    from ..views.words import count

    opened = opener(path)
    source = format_of_file(opened, format_name, path)
    target = _target(word, source)
    result_file = out or beside(path, word.lower().replace("_", "-"))
    rejected_file = beside(result_file, "rejected")
    with Outputs(result_file, rejected_file, read=path, force=force) as outputs, opened() as stream:
        aside = SetAside(lambda: outputs.open(rejected_file))
        result = convert_stream(stream, source, target, outputs.open(result_file), aside)
    lost = [
        {
            "kind": loss.kind,
            "name": loss.name,
            "loss": f"{loss.name}: {LOSSES[loss.kind]}" if loss.name else LOSSES[loss.kind],
            "rows": tally.rows,
            "first_line": tally.first_line,
        }
        for loss, tally in sorted(result.lost.items())
    ]
    rejected = reasons(aside)
    if as_json:
        summary = {
            "from": source.name,
            "to": target.name,
            "file": shown(result_file),
            "rows": result.written,
            "lost": lost,
            "rejected_file": shown(rejected_file) if rejected else None,
            "rejected": result.rejected,
            "reasons": rejected,
        }
        click.echo(to_json(summary))
    else:
        click.echo(f"{shown(result_file)}: {count(result.written, 'row')}, {source.name} to {target.name}")
        if lost:
            click.echo("What is lost:")
            say(lost, "loss")
        if rejected:
            click.echo(f"{shown(rejected_file)}: {count(result.rejected, 'row')} rejected")
            say(rejected, "reason")
    context.exit(Exit.YOUR_INPUT if result.rejected or not result.written else Exit.DONE)


def _target(word: str, source: RowFormat) -> RowFormat:
    """The format that a word means; InputError when rows of the source's format cannot become such rows."""
    from ...datasets.convert import CODECS, CONVERSIONS, FAMILIES, target_named, targets_of, why_not
    from ...datasets.formats import FORMATS

    name = target_named(word, source.name)
    if name is None:
        words = ", ".join([*FAMILIES, *CODECS])
        raise click.BadParameter(f"{word} is no format to convert to. There are: {words}.", param_hint="'--to'")
    if (source.name, name) in CONVERSIONS:
        return FORMATS[name]
    possible = ", ".join(targets_of(source.name)) or "nothing"
    raise InputError(
        f"{source.name} rows cannot become {name} rows: {why_not(source.name, name)}. Possible: {possible}."
    )
