"""What the rows of a file say, as far as it can be doubted: looked for in good rows, all or an even sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...events import Role
from ..findings import Findings
from ..rowformat import RowFormat
from ..sample import Sampled
from .answers import examine_answers
from .frames import bodies
from .instructions import examine_instructions
from .labels import examine_labels
from .languages import examine_languages
from .leaks import Leaks
from .near_duplicates import compare_prompts, examine_near_duplicates
from .numbers import examine_numbers
from .preferences import examine_preferences
from .sample import Sample
from .totals import Preferences, Totals

__all__ = ["Content", "Leaks", "Preferences", "Sampled", "Totals", "compare", "examine"]


@dataclass(frozen=True)
class Content:
    """The share of each language, as its ISO 639-1 code, among the `sampled` rows whose language is clear."""

    languages: dict[str, float] = field(default_factory=dict)
    sampled: int = 0


def examine(
    fmt: RowFormat,
    role: Role,
    file: str,
    sample: Sequence[Sampled],
    rows: int,
    totals: Totals,
    leaks: Leaks,
    findings: Findings,
) -> Content:
    """Findings about the content of one file of `rows` good rows, and its languages."""
    if not sample:
        return Content()
    if len(sample) < rows:
        findings.add("CONTENT-SAMPLED", {"sampled": len(sample), "rows": rows}, file=file)
    columns = Sample(fmt, role, file, sample)
    start, end = examine_instructions(columns, totals, findings)
    varying = bodies(columns.prompts, start, end)
    examine_near_duplicates(columns, varying, findings)
    examine_answers(columns, varying, totals, findings)
    if columns.answers:
        examine_labels(totals.answers, role, file, findings)
    examine_preferences(columns, totals.preferences, findings)
    examine_numbers(columns, findings)
    leaks.report(findings, file, rows)
    languages, judged = examine_languages(columns, varying, findings)
    return Content(languages, judged)


def compare(
    fmt: RowFormat,
    train_file: str,
    train: Sequence[Sampled],
    eval_file: str,
    evaluation: Sequence[Sampled],
    findings: Findings,
) -> None:
    """Evaluation rows, of the same format, whose prompts are nearly those of training rows."""
    if train and evaluation:
        compare_prompts(Sample(fmt, "train", train_file, train), Sample(fmt, "eval", eval_file, evaluation), findings)
