"""``droptune explain CODE``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from ..options import json_option

if TYPE_CHECKING:
    from ...datasets.rules import Rule


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
    in_full: list[Rule] = []
    by_kind: list[Rule] = [] if codes else list(every.values())
    for typed in codes:
        code, kind = typed.upper().replace("_", "-"), typed.lower().replace("-", "_")
        if code in every and typed not in kinds():  # `leakage` is a kind, `LEAKAGE` one of its codes
            in_full.append(every[code])
        elif kind in kinds():
            by_kind += [rule for rule in every.values() if rule.kind == kind]
        else:
            raise click.UsageError(_unknown(typed, every, kinds()))
    if as_json:
        import msgspec

        chosen = [*in_full, *by_kind]
        one_code = len(codes) == len(in_full) == 1
        click.echo(msgspec.json.format(msgspec.json.encode(chosen[0] if one_code else chosen), indent=2))
        return
    from ..terminal import print_data
    from ..views.explained import explained, listed

    if in_full:
        print_data(explained(in_full, lang))
    if in_full and by_kind:
        click.echo()
    if by_kind:
        print_data(listed(by_kind, kinds(), lang))


def _unknown(typed: str, codes: Iterable[str], kinds: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = [
        *get_close_matches(typed.lower().replace("-", "_"), list(kinds), n=1),
        *get_close_matches(typed.upper().replace("_", "-"), list(codes), n=3, cutoff=0.5),
    ]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"there is no rule or kind {typed!r}.{meant} `droptune explain` lists them all."
