"""Whether what a finding or a piece of advice says can be said in every language."""

from __future__ import annotations

from droptune.datasets.rowformat import Problem
from droptune.datasets.rules import LANGUAGES, fill, rule


def assert_sayable(problem: Problem) -> None:
    """The values of a problem fill every place in the words of its rule."""
    definition = rule(problem.code)
    for language in LANGUAGES:
        for words in (definition.message, definition.allowed, definition.fix):
            said = fill(words[language], problem.values)
            assert said and "{" not in said, f"{problem.code} ({language}): {said}"
