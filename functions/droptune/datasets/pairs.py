"""What shows when rows are compared: repeated rows in one file, and prompts and labels of two."""

from __future__ import annotations

from .findings import Findings
from .keys import Reopen
from .scan import Scan

MAX_NAMED = 5


def check_repeats(scan: Scan, findings: Findings, reopen: Reopen) -> None:
    """Rows that are there twice, and prompts with different answers; `reopen` opens the file again."""
    if scan.format is None:
        return
    for repeat in scan.keys.repeats(scan.format, reopen):
        code = "DUPLICATE-ROW" if repeat.same else "CONFLICTING-ANSWERS"
        findings.add(code, {"found": repeat.first_line}, file=scan.file, line=repeat.line, offset=repeat.offset)
    if scan.keys.left_out:
        findings.add("DUPLICATES-PARTLY", {"found": scan.keys.rows}, file=scan.file)


def check_pair(
    train: Scan, evaluation: Scan, findings: Findings, reopen_train: Reopen, reopen_evaluation: Reopen
) -> None:
    """Other formats, the same prompts, labels never trained."""
    if train.format is None or evaluation.format is None:
        return
    if train.format is not evaluation.format:
        values = {"found": evaluation.format.name, "format": train.format.name}
        findings.add("FORMATS-DIFFER", values, file=evaluation.file)
        return
    shared = evaluation.keys.shared_with(train.keys, train.format, reopen_evaluation, reopen_train)
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
