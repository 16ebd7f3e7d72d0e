"""``droptune explain CODE``."""

from __future__ import annotations

from typing import Any

import click

from ..group import InputError
from ..options import json_option


@click.command()
@click.argument("codes", metavar="[CODE|KIND]...", nargs=-1)
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of the text.")
@json_option
def explain(codes: tuple[str, ...], lang: Any, as_json: bool) -> None:
    """Say what a finding means: the rule, what is wrong and right, how to fix it, and its source.

    A kind such as `missing_field` lists the codes of that kind; nothing at all lists every rule.

    \b
    droptune explain TEXT-EMPTY-OUTPUT
    droptune explain role_order
    """
    from ...datasets.rules import all_rules, kinds

    every = {rule.code: rule for rule in all_rules()}
    chosen = []
    for code in codes or tuple(kinds()):
        named = every.get(code.upper())
        of_kind = [rule for rule in every.values() if rule.kind == code.lower().replace("-", "_")]
        if named is None and code.lower().replace("-", "_") not in kinds():
            raise InputError(_unknown(code, [*every, *kinds()]))
        chosen += [named] if named else of_kind
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(chosen if len(chosen) != 1 else chosen[0]), indent=2))
        return
    from ..terminal import print_data
    from ..views.explained import explained, listed

    told_in_full = len(codes) > 0 and all(code.upper() in every for code in codes)
    print_data(explained(chosen, lang) if told_in_full else listed(chosen, kinds(), lang))


def _unknown(code: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(code.upper(), known, n=3, cutoff=0.5) or get_close_matches(code.lower(), known, n=3)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"there is no rule {code!r}.{meant} `droptune explain` lists them all."
