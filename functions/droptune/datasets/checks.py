"""What is judged over whole files: answers, labels, leakage between files, and the limits of a base model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from ..events import Role
from ..methods.base import CHARACTERS_PER_TOKEN
from ..methods.catalogue import BaseModel
from .findings import Findings
from .scan import Scan
from .statistics import MAX_INDEXED_ROWS, Lengths

RECOMMENDED_TRAIN_ROWS = 100
RECOMMENDED_EVAL_ROWS = 30
LEAST_ROWS_FOR_CONSTANT = 10
MAX_NAMED = 5
_LABEL_NOISE = re.compile(r"[\W_]+")


def check_file(scan: Scan, role: Role, findings: Findings) -> None:
    """Answers and labels of one file."""
    content = scan.content
    if not content.indexed_all:
        findings.add("DUPLICATES-PARTLY", file=scan.file, found=f"{MAX_INDEXED_ROWS:,} different prompts")
    answers = content.answers
    if answers is None or scan.format is None or not scan.format.has_answer:
        return
    if role == "train" and len(answers) == 1 and answers.total() >= LEAST_ROWS_FOR_CONSTANT:
        (answer,) = answers
        findings.add("ANSWER-CONSTANT", file=scan.file, found=f"{answers.total():,}", text=answer)
    if content.labels:
        spellings: defaultdict[str, list[str]] = defaultdict(list)
        for label in content.labels:
            spellings[_LABEL_NOISE.sub("", label).casefold()].append(label)
        for variants in spellings.values():
            if len(variants) > 1:
                findings.add("LABEL-SPELLING", file=scan.file, found=_named(variants))


def check_pair(train: Scan, evaluation: Scan, findings: Findings) -> None:
    """What only shows when both files are known: other formats, the same prompts, labels never trained."""
    if train.format is None or evaluation.format is None:
        return
    if train.format is not evaluation.format:
        found = f"{evaluation.format.name} beside {train.format.name}"
        findings.add("FORMATS-DIFFER", file=evaluation.file, found=found)
        return
    shared = evaluation.content.lines_shared_with(train.content)
    if shared and len(shared) == evaluation.content.distinct_prompts:
        findings.add("LEAKAGE-ALL", file=evaluation.file, found=f"{len(shared):,} different prompts")
    else:
        for line in shared:
            findings.add("LEAKAGE", file=evaluation.file, line=line, found=f"{len(shared):,}")
    labels, evaluated = train.content.labels, evaluation.content.labels
    if labels and evaluated and (unseen := [label for label in evaluated if label not in labels]):
        findings.add("EVAL-LABEL-UNSEEN", file=evaluation.file, found=_named(unseen))


def check_limits(
    base_model: BaseModel, scans: Mapping[Role, Scan], sizes: Mapping[Role, int], findings: Findings
) -> None:
    """Rows, bytes and tokens against what the base model's catalogue entry says."""
    for role, scan in scans.items():
        if base_model.file_bytes is not None and sizes[role] > base_model.file_bytes:
            found, allowed = f"{sizes[role]:,} bytes", f"at most {base_model.file_bytes:,} bytes"
            findings.add("FILE-TOO-LARGE", file=scan.file, found=found, allowed=allowed)
        _check_tokens(base_model, scan, findings)
    if "train" in scans:
        _check_train_rows(base_model, scans["train"], findings)
    if "eval" in scans:
        _check_eval_rows(base_model, scans["eval"], scans.get("train"), findings)


def _check_train_rows(base_model: BaseModel, train: Scan, findings: Findings) -> None:
    least, most = base_model.train_rows
    if not train.rows:
        return
    if train.rows < least:
        findings.add("ROWS-TOO-FEW", file=train.file, found=_rows(train.rows), allowed=f"at least {least:,}")
    elif train.rows > most:
        findings.add("ROWS-TOO-MANY", file=train.file, found=_rows(train.rows), allowed=f"at most {most:,}")
    elif train.rows < RECOMMENDED_TRAIN_ROWS:
        findings.add("ROWS-FEW", file=train.file, found=_rows(train.rows))


def _check_eval_rows(base_model: BaseModel, evaluation: Scan, train: Scan | None, findings: Findings) -> None:
    least, most = base_model.eval_rows
    rows = evaluation.rows
    if not least <= rows <= most:
        findings.add("EVAL-ROWS", file=evaluation.file, found=_rows(rows), allowed=f"{least:,} to {most:,} rows")
    if 0 < rows < RECOMMENDED_EVAL_ROWS:
        findings.add("EVAL-FEW", file=evaluation.file, found=_rows(rows))
    share = base_model.eval_share_above_1000_rows
    if share is not None and train is not None and 1_000 < rows <= most and rows > share * train.rows:
        found = f"{_rows(rows)} beside {train.rows:,} for training"
        allowed = f"at most {share:.0%} of the training rows when there are more than 1,000"
        findings.add("EVAL-SHARE", file=evaluation.file, found=found, allowed=allowed)


def _check_tokens(base_model: BaseModel, scan: Scan, findings: Findings) -> None:
    """A token is at least one byte, so only texts of more bytes than the limit can exceed it."""
    content = scan.content
    for what, lengths, limit, loss in (
        ("prompts", content.prompt, base_model.input_tokens, "what exceeds is cut off"),
        ("answers", content.answer, base_model.output_tokens, "what exceeds is cut off"),
        ("rows", content.whole, base_model.example_tokens, "rows that exceed are dropped by the service"),
    ):
        if limit is not None and lengths.longest_bytes > limit:
            _report_tokens(what, lengths, limit, loss, scan.file, findings)


def _report_tokens(what: str, lengths: Lengths, limit: int, loss: str, file: str, findings: Findings) -> None:
    likely = lengths.over_characters(limit * CHARACTERS_PER_TOKEN)
    found = (
        f"{lengths.over_bytes(limit):,} {what} have more than {limit:,} bytes, the longest {lengths.longest_bytes:,}: "
        f"they may exceed the limit of {limit:,} tokens, at {CHARACTERS_PER_TOKEN:g} characters a token "
        f"{likely or 'none'} of them; {loss}."
    )
    findings.add("TOKENS-MAY-EXCEED", file=file, line=lengths.longest_line, found=found, allowed=f"{limit:,} tokens")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _named(labels: list[str]) -> str:
    named = ", ".join(f'"{label}"' for label in labels[:MAX_NAMED])
    return named if len(labels) <= MAX_NAMED else f"{named} and {len(labels) - MAX_NAMED} more"
