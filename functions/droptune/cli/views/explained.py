"""Rules of the intake, as ``droptune explain`` shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ...datasets.rules import Language, Rule, Words
from ...datasets.wording import Wording
from .styles import SEVERITY_STYLES
from .words import clean

SEVERITY_WIDTH = max(map(len, SEVERITY_STYLES))


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
    """The rules by kind, a line for each; in a narrow window the titles go on below."""
    parts: list[RenderableType] = []
    order = list(kinds)
    for kind, group in groupby(sorted(rules, key=lambda rule: order.index(rule.kind)), key=lambda rule: rule.kind):
        members = list(group)
        longest = max(len(rule.code) for rule in members)
        parts.append(Text.assemble((kind, "bold"), "  ", (kinds[kind][language], "dim")))
        parts += [
            Text.assemble(
                f"  {rule.code:{longest}}  ",
                (f"{rule.severity:{SEVERITY_WIDTH}}", SEVERITY_STYLES[rule.severity]),
                f"  {rule.title[language]}",
            )
            for rule in members
        ]
    return Group(*parts)
