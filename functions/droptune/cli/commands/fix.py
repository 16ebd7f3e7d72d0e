"""``droptune fix FILE``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from ..group import Exit, InputError
from ..options import json_errors, json_option
from ..paths import shown, word
from ..rewriting import (
    TABLE,
    Outputs,
    beside,
    file_argument,
    force_option,
    format_option,
    is_table,
    named_format,
    opener,
    out_option,
    reasons,
    say,
)

if TYPE_CHECKING:
    from ...datasets.legacy_encodings import Guess


def _encoding(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    try:
        "a".encode(name or "utf-8")
    except LookupError as error:
        raise click.BadParameter(f"{name} is no encoding that is known here, such as windows-1252.") from error
    return name


@click.command()
@file_argument
@out_option
@force_option
@format_option
@click.option("--encoding", metavar="NAME", callback=_encoding, help="Read lines that are no UTF-8 in this encoding.")
@click.option("--drop-unknown", is_flag=True, help="Remove fields that the service does not read.")
@click.option("--deduplicate", is_flag=True, help="Set aside rows that repeat an earlier one exactly.")
@json_option
@json_errors
@click.pass_context
def fix(
    context: click.Context,
    path: Path,
    out: Path | None,
    force: bool,
    format_name: str | None,
    encoding: str | None,
    drop_unknown: bool,
    deduplicate: bool,
    as_json: bool,
) -> None:
    """Write a corrected copy of FILE beside it, and say what was changed.

    Rows that cannot be put right without guessing go to a quarantine file, with the reasons and their bytes. FILE
    itself stays as it is. Files packed with gzip, arrays, and other encodings become JSON Lines.

    \b
    droptune fix train.jsonl
    droptune fix export.json.gz --out train.jsonl

    Exit codes: 0 done, with rows in quarantine too; 1 no row is right; 2 usage; 3 the file cannot be read.
    """
    from ...datasets.repair import CHANGES, Options, fix_stream, fix_table
    from ...datasets.rules import rule
    from ...datasets.setaside import SetAside
    from ..ledger import to_json
    from ..views.words import count

    opened = opener(path)
    fmt = None if format_name is None else named_format(format_name)
    target = out or beside(path, "fixed", TABLE if is_table(path) else ".jsonl")
    quarantine = beside(target if out else path, "quarantine")
    with Outputs(target, quarantine, read=path, force=force) as outputs:
        aside = SetAside(lambda: outputs.open(quarantine))
        file = outputs.open(target)
        if is_table(path):
            result = fix_table(opened, file, aside)
        else:
            result = fix_stream(opened, file, aside, Options(encoding, drop_unknown, deduplicate), fmt)
        unread = encoding is None and (
            result.refused == "FORMAT-UNKNOWN" or rule("BAD-UTF8").title["en"] in aside.by_reason
        )
        guess = _encoding_of(opened) if unread else None
        if result.refused is not None:
            if said := _to_try(guess, path):
                raise InputError(f"{shown(path)} cannot be corrected. {said}")
            definition = rule(result.refused)
            raise InputError(f"{shown(path)} cannot be corrected: {definition.title['en']}. {definition.fix['en']}")
    changes = [
        {"kind": kind, "change": CHANGES[kind], "times": change.times, "first_line": change.first_line}
        for kind, change in result.changes.listed()
    ]
    removed = reasons(aside)
    if as_json:
        summary = {
            "format": result.format,
            "file": shown(target),
            "rows": result.kept,
            "changes": changes,
            "quarantine": shown(quarantine) if removed else None,
            "removed": result.removed,
            "reasons": removed,
            "damaged": result.damaged,
            "encodings": [] if guess is None else list(guess.names),
        }
        click.echo(to_json(summary))
    else:
        click.echo(
            f"{shown(target)}: {count(result.kept, f'{result.format} row')}{'' if changes else ', nothing to correct'}"
        )
        say(changes, "change")
        if removed:
            click.echo(f"{shown(quarantine)}: {count(result.removed, 'row')} removed")
            say(removed, "reason")
        if said := _to_try(guess, path, " --force"):
            click.echo(said)
        if result.damaged:
            click.echo("The compressed file is damaged: rows after the damage are missing.", err=True)
    context.exit(Exit.DONE if result.kept else Exit.YOUR_INPUT)


def _encoding_of(opened: Callable[[], BinaryIO]) -> Guess:
    from ...datasets.repair.encodings import Layers
    from ...datasets.second_look import encoding_of

    with opened() as stream:
        return encoding_of(Layers(stream).stream)


def _to_try(guess: Guess | None, path: Path, more: str = "") -> str:
    """How to read the lines that are no UTF-8; empty where they do not tell."""
    if guess is None or not guess.names:
        return ""
    command = f"`droptune fix {word(str(path))} --encoding {guess.names[0]}{more}`"
    if guess.certain is not None:
        return f"The lines that are not UTF-8 read as {guess.certain}: run {command} and look at some of the texts."
    names = " or ".join(guess.possible)
    return f"The lines that are not UTF-8 may be {names}: try {command} and look at some of the texts."
