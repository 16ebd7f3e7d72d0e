"""What shows when rows are compared: repeated rows in one file, and prompts and labels of two."""

from __future__ import annotations

from shlex import quote
from typing import Any

import msgspec

from .findings import Findings
from .keys import Reopen
from .opposites import MEANINGS
from .rowformat import RowFormat
from .scan import Scan

MAX_NAMED = 5
# Models tuned on text are evaluated on rows of evaluation pipelines, too: the prompts are the same, by another name.
TEXT_WITH_TRUTH = ("text", "ground_truth")
# What is said of a preference row whose candidates are one text.
EQUAL = frozenset({"PREF-IDENTICAL", "GPREF-IDENTICAL", "OPREF-SAME-OUTPUTS"})


def check_repeats(scan: Scan, findings: Findings, reopen: Reopen) -> None:
    """Rows that are there twice, and prompts with different answers or opposite preferences.

    `reopen` opens the file again.
    """
    if scan.format is None:
        return
    conflict = "CONFLICTING-ANSWERS" if scan.format.one_answer_per_prompt else "PREF-CONFLICTING"
    for repeat in scan.keys.repeats(scan.format, reopen):
        code = "DUPLICATE-ROW" if repeat.same else conflict
        findings.add(code, {"found": repeat.first_line}, file=scan.file, line=repeat.line, offset=repeat.offset)
    if scan.keys.left_out:
        findings.add("DUPLICATES-PARTLY", {"found": scan.keys.rows}, file=scan.file)


def check_preferences(scan: Scan, findings: Findings, reopen: Reopen) -> None:
    """That no row of a preference file says which answer is better; `reopen` opens the file again."""
    fmt, rows = scan.format, scan.content.rows
    if fmt is None or fmt.name not in MEANINGS or not rows or scan.keys.left_out:
        return
    if scan.content.totals().preferences is None and all(_equal(fmt, row) for row in scan.keys.read(fmt, reopen)):
        findings.add("PREF-ALL-EQUAL", {"found": rows}, file=scan.file)


def _equal(fmt: RowFormat, row: Any) -> bool:
    return not EQUAL.isdisjoint(problem.code for problem in fmt.problems(msgspec.to_builtins(row)))


def check_pair(
    train: Scan, evaluation: Scan, findings: Findings, reopen_train: Reopen, reopen_evaluation: Reopen
) -> None:
    """Other formats, the same prompts, labels never trained."""
    if train.format is None or evaluation.format is None:
        return
    if train.format is not evaluation.format:
        values = {"found": evaluation.format.name, "format": train.format.name}
        if (train.format.name, evaluation.format.name) != TEXT_WITH_TRUTH:
            findings.add("FORMATS-DIFFER", values, file=evaluation.file)
            return
        findings.add("EVAL-GROUND-TRUTH", {**values, "file": quote(evaluation.file)}, file=evaluation.file)
    shared = evaluation.keys.shared_with(
        train.keys, evaluation.format, reopen_evaluation, reopen_train, fmt_other=train.format
    )
    if shared and len(shared) == evaluation.content.rows:
        findings.add("LEAKAGE-ALL", {"found": evaluation.keys.distinct_prompts}, file=evaluation.file)
    else:
        for line, offset in shared:
            findings.add("LEAKAGE", {"found": len(shared)}, file=evaluation.file, line=line, offset=offset)
    labels, evaluated = train.content.labels, evaluation.content.labels
    if labels and evaluated and (unseen := [label for label in evaluated if label not in labels]):
        findings.add("EVAL-LABEL-UNSEEN", {"found": _named(unseen), "labels": len(unseen)}, file=evaluation.file)


def _named(labels: list[str]) -> str:
    named = ", ".join(f'"{label}"' for label in labels[:MAX_NAMED])
    return named if len(labels) <= MAX_NAMED else f"{named}, …"
