"""Rows that nearly repeat others, within a file or between training and evaluation.

Exact repetitions are found over all rows elsewhere; here are those that differ in form only, or in a few letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from ..findings import Findings
from ..rowformat import Values
from .frames import bodies as bodies_of
from .frames import prefixes, suffixes
from .sample import SEPARATOR, Sample
from .shingles import LEAST_SIMILAR, candidates, letters, similarity

MAX_FAILURES = 300  # of the likeliest pairs that turn out to differ, before the others are given up
LEAST_LETTERS = 8  # bytes of a prompt that is recognised when written otherwise
_POINTS = re.compile(r"(?<!\d)[.,]|[.,](?!\d)|[\s;:!?'\"`‘’“”„«»…。、]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NUL = SEPARATOR.encode()


def form_of(text: str) -> str:
    """A text without case, width, spaces and punctuation; points and commas within numbers stay."""
    return _POINTS.sub("", unicodedata.normalize("NFKC", text).casefold())


def examine_near_duplicates(sample: Sample, bodies: Sequence[str], findings: Findings) -> None:
    """Near duplicates among the rows of one file; `bodies` are the prompts without what they have in common."""
    forms = letters(sample.data).split(_NUL)[:-1]
    asked, answered = forms[: len(sample)], forms[len(sample) :]
    told = _examine_forms(sample, asked, findings)
    whole = [prompt + answer for prompt, answer in zip(asked, answered, strict=True)]

    def may_repeat(earlier: int, later: int) -> bool:
        if later in told or not _alike(answered[earlier], answered[later]):
            return False
        if sample.prompts[earlier] != sample.prompts[later]:
            return True
        # Several pairs of candidates for one prompt are usual, and equal rows are told elsewhere.
        return sample.fmt.one_answer_per_prompt and sample.replies[earlier] != sample.replies[later]

    similar = _similar(whole, bodies, may_repeat)
    found: list[tuple[int, Values]] = [
        (later, {"found": sample.line(earlier), "similarity": shared}) for later, (earlier, shared) in similar.items()
    ]
    sample.report_rows(findings, "SIMILAR-ROW", found)


def compare_prompts(train: Sample, evaluation: Sample, findings: Findings) -> None:
    """Evaluation prompts that are nearly, but not exactly, those of training rows."""
    trained = letters(train.data).split(_NUL)[: len(train)]
    evaluated = letters(evaluation.data).split(_NUL)[: len(evaluation)]
    rows = len(train)
    near: dict[int, tuple[int, int]] = {}
    first = {form: at for at, form in reversed(list(enumerate(trained))) if len(form) >= LEAST_LETTERS}
    for at, form in enumerate(evaluated, rows):
        earlier = first.get(form)
        if earlier is not None and form_of(train.prompts[earlier]) == form_of(evaluation.prompts[at - rows]):
            near[at] = (earlier, 100)
    bodies = _bodies([*train.prompts, *evaluation.prompts])
    similar = _similar([*trained, *evaluated], bodies, lambda earlier, later: earlier < rows <= later)
    exact = set(train.prompts)
    found: list[tuple[int, Values]] = [
        (later - rows, {"found": train.line(earlier), "similarity": shared})
        for later, (earlier, shared) in sorted((similar | near).items())
        if evaluation.prompts[later - rows] not in exact
    ]
    evaluation.report_rows(findings, "LEAKAGE-NEAR", found)


def _similar(
    forms: Sequence[bytes], bodies: Sequence[str], may_repeat: Callable[[int, int], bool]
) -> dict[int, tuple[int, int]]:
    """Texts that are nearly the same as an earlier one in what varies, numbers included: which, and how many %."""
    found: dict[int, tuple[int, int]] = {}
    failures = 0
    for earlier, later in candidates(forms):
        if later in found or not may_repeat(earlier, later):
            continue
        one, other = bodies[earlier], bodies[later]
        if _NUMBER.findall(one) == _NUMBER.findall(other):
            shared = similarity(letters(_encoded(one)), letters(_encoded(other)))
            if shared >= LEAST_SIMILAR:
                found[later] = (earlier, int(100 * shared))
                continue
        failures += 1
        if failures == MAX_FAILURES:
            break
    return dict(sorted(found.items()))


def _examine_forms(sample: Sample, asked: Sequence[bytes], findings: Findings) -> set[int]:
    """Rows whose prompt has the form of an earlier one, but is not equal; returns those with the same answer."""
    prompts, replies = sample.prompts, sample.replies
    one_answer = bool(sample.answers) and sample.fmt.one_answer_per_prompt
    same: list[tuple[int, Values]] = []
    conflicting: list[tuple[int, Values]] = []
    first: dict[bytes, int] = {}
    for at, form in enumerate(asked):
        earlier = first.setdefault(form, at)
        if earlier == at or len(form) < LEAST_LETTERS or prompts[earlier] == prompts[at]:
            continue
        if form_of(prompts[earlier]) != form_of(prompts[at]):
            continue
        if form_of(replies[earlier]) == form_of(replies[at]):
            same.append((at, {"found": sample.line(earlier)}))
        elif one_answer:
            conflicting.append((at, {"found": sample.line(earlier)}))
    sample.report_rows(findings, "SIMILAR-FORM", same)
    sample.report_rows(findings, "SIMILAR-CONFLICT", conflicting)
    return {at for at, _ in same}


def _alike(one: bytes, other: bytes) -> bool:
    """Whether two replies are the same, or so nearly."""
    if one == other:
        return True
    return min(len(one), len(other)) >= LEAST_SIMILAR * max(len(one), len(other)) and (
        similarity(one, other) >= LEAST_SIMILAR
    )


def _bodies(prompts: Sequence[str]) -> list[str]:
    """The prompts of both files without what most of them have in common."""
    starts, ends = prefixes(prompts), suffixes(prompts)
    return bodies_of(prompts, starts[0] if starts else None, ends[0] if ends else None)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
