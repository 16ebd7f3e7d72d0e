"""What reports say in a language: their own words, and findings whatever language they were first put into."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec
import yaml

from ..events import Finding
from .report import Advice, Report
from .rules import Language, Rule, Words, fill, rule

# What nobody has to correct, but keeps a job from starting on a data set without errors.
IDLE = {"METHOD-NOT-STARTED", "PURPOSE-AMBIGUOUS", "PURPOSE-CONVERT", "PURPOSE-EVALUATION", "PURPOSE-BATCH"}
_PLACE = re.compile(r"\{([a-z_]+)\}")


class Wording(msgspec.Struct, frozen=True):
    """The words of ``words.yaml`` in one language."""

    language: Language

    def __call__(self, name: str, /, **values: str | int | float) -> str:
        """The words of that name, filled; of a singular and a plural, the one for `n`."""
        text = words()[name][self.language]
        singular, divided, plural = text.partition("|")
        return fill(plural if divided and values.get("n") != 1 else singular, values)

    def title(self, code: str) -> str:
        """The title of a rule; of one that is not known here, its code."""
        known = known_rule(code)
        return known.title[self.language] if known else code

    def general(self, text: Words) -> str:
        """A text of a rule that speaks of no finding: where a value would stand there is an ellipsis."""
        return _PLACE.sub("…", text[self.language])

    def finding(self, finding: Finding) -> Finding:
        """The finding in this language, where its rule is known and its values suffice; otherwise as it is."""
        known = known_rule(finding.code)
        if known is None:
            return finding
        texts = _filled((known.message, known.fix, known.allowed), finding.values, self.language)
        if texts is None:
            return finding
        message, fix, allowed = texts
        return msgspec.structs.replace(finding, message=message, fix=fix, allowed=allowed or None)

    def advice(self, advice: Advice) -> Advice:
        """The advice in this language, under the same conditions."""
        from .advice import texts as texts_of_advice  # brings the methods: only where a report has advice

        known = texts_of_advice().get(advice.code)
        texts = _filled((known.message,), advice.values, self.language) if known else None
        return advice if texts is None else msgspec.structs.replace(advice, message=texts[0])


def _filled(
    templates: Sequence[Words], values: Mapping[str, str | int | float], language: Language
) -> list[str] | None:
    """The templates in a language, filled; None where a value is lacking."""
    if not {name for text in templates for name in _PLACE.findall(text[language])} <= values.keys():
        return None
    return [fill(text[language], values) for text in templates]


def state_of(report: Report) -> str:
    """The status of a report, or a closer word for it.

    ``repairable`` where what was rejected needs no more than `droptune fix`; ``evaluation`` where there are rows to
    evaluate with and none to train on; ``idle`` where nothing is wrong with the rows but no job can start.
    """
    if report.status == "rejected" and report.verdict == "repairable":
        return "repairable"
    if report.status == "ready" and {file.role for file in report.files} == {"eval"}:
        return "evaluation"
    return "idle" if report.status == "ready" and IDLE & report.counts.by_code.keys() else report.status


def known_rule(code: str) -> Rule | None:
    """The rule of a code, or None: a report may be older or newer than the rules."""
    try:
        return rule(code)
    except KeyError:
        return None


@cache
def words() -> Mapping[str, Words]:
    """The words by name, in every language."""
    text = (Path(__file__).parent / "words.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), dict[str, Words])
