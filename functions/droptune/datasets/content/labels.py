"""Labels: whether answers are such, how they are spelt, and how often each is used."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from ...events import Role
from ..findings import Findings
from ..rowformat import Values

MAX_LABELS = 100
ROWS_PER_LABEL = 5  # on average, for answers to be taken for labels
MAX_NAMED = 5
RARE_ROWS = 5
UNBALANCED_RATIO = 10
DOMINANT_SHARE = 0.9
LEAST_ROWS_DOMINANT = 50
_JOINERS = re.compile(r"(?<=\S)[\s_\-‐‑–—]+(?=\S)")
_EDGES = " \t\r\n.,;:!?。、！？…\"'“”‘’「」『』`"


def looks_like_labels(answers: Mapping[str, int] | None) -> bool:
    """Whether the answers of a file, with how often each is given, are labels rather than texts or numbers."""
    if not answers or not 2 <= len(answers) <= MAX_LABELS:
        return False
    few = sum(answers.values()) >= ROWS_PER_LABEL * len(answers)
    return few and not (len(answers) > 20 and all(label.strip().isdecimal() for label in answers))


def examine_labels(answers: Counter[str] | None, role: Role, file: str, findings: Findings) -> None:
    """Spelling variants and balance of the labels of one file."""
    if answers is None or not looks_like_labels(answers):
        return
    for variants in spellings(answers):
        findings.add("LABEL-SPELLING", {"found": named(variants), "count": len(variants)}, file=file)
    if role != "train":
        return
    (largest, most), rows = answers.most_common(1)[0], answers.total()
    rare = sorted(label for label, count in answers.items() if count < RARE_ROWS)
    if rare:
        findings.add("LABEL-RARE", {"found": named(rare), "count": len(rare), "limit": RARE_ROWS}, file=file)
    if most >= DOMINANT_SHARE * rows and rows >= LEAST_ROWS_DOMINANT:
        values: Values = {"found": quoted(largest), "count": most, "rows": rows, "share": round(100 * most / rows, 1)}
        findings.add("LABEL-DOMINANT", values, file=file)
        return
    smallest, fewest = min(answers.items(), key=lambda item: (item[1], item[0]))
    if most >= UNBALANCED_RATIO * fewest:
        values = {"found": quoted(largest), "count": most, "smallest": quoted(smallest), "least": fewest}
        findings.add("LABEL-BALANCE", values, file=file)


def spellings(labels: Mapping[str, int]) -> list[list[str]]:
    """The groups of labels that differ in case, width, spacing or punctuation only, the most frequent of each first."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for label in labels:
        groups[_spelling(label)].append(label)
    return [sorted(each, key=lambda label: (-labels[label], label)) for each in groups.values() if len(each) > 1]


def _spelling(label: str) -> str:
    """The label in compatibility form without case, joiners and marks around it; signs as in ``-1`` or ``C++`` stay."""
    plain = unicodedata.normalize("NFKC", label).casefold().strip(_EDGES)
    words = _JOINERS.sub(" ", plain)
    joined = words if any(c.isdigit() for c in words) else words.replace(" ", "")
    return joined or label


def named(labels: Sequence[str]) -> str:
    """The first of some labels, in quotes, and how many more there are."""
    more = f" + {len(labels) - MAX_NAMED:,}" if len(labels) > MAX_NAMED else ""
    return ", ".join(map(quoted, labels[:MAX_NAMED])) + more


def quoted(label: str) -> str:
    """A label as a message shows it."""
    return f'"{label if len(label) <= 60 else label[:59] + "…"}"'
