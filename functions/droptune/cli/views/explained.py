"""Rules of the intake, as ``droptune explain`` shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...datasets.rules import Language, Rule, Words
from ...datasets.wording import Wording
from .styles import SEVERITY_STYLES
from .words import clean


def explained(rules: Sequence[Rule], language: Language) -> Group:
    """Each rule in full."""
    say = Wording(language)
    parts: list[RenderableType] = []
    for number, rule in enumerate(rules):
        parts += [""] * (number > 0)
        parts += [
            Text.assemble(
                (rule.code, "bold"), "  ", (rule.severity, SEVERITY_STYLES[rule.severity]), "  ", (rule.kind, "dim")
            ),
            Text(rule.title[language], "bold"),
            *_section("", rule.message[language]),
            *_section(say("allowed"), rule.allowed[language]),
            *_section(say("fix"), rule.fix[language]),
            *_section(say("wrong"), rule.wrong, "red"),
            *_section(say("right"), rule.right, "green"),
            *_section(say("source"), rule.source),
        ]
    return Group(*parts)


def _section(name: str, text: str, style: str = "") -> list[RenderableType]:
    if not text:
        return []
    body = Padding(Text(clean(text) if style == "" else text, style), (0, 0, 0, 2))
    return [Text(name, "dim"), body] if name else [body]


def listed(rules: Sequence[Rule], kinds: Mapping[str, Words], language: Language) -> Group:
    """The rules by kind, a line for each."""
    parts: list[RenderableType] = []
    for kind, group in groupby(
        sorted(rules, key=lambda rule: list(kinds).index(rule.kind)), key=lambda rule: rule.kind
    ):
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for rule in group:
            severity = Text(rule.severity, SEVERITY_STYLES[rule.severity])
            table.add_row(Text(f"  {rule.code}"), severity, Text(rule.title[language]))
        parts += [Text.assemble((kind, "bold"), "  ", (kinds[kind][language], "dim")), table]
    return Group(*parts)
