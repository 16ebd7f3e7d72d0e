"""Answers that no model should learn: refusals, placeholders, repeated prompts, texts that were cut off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ..findings import Findings
from ..rowformat import Values
from .labels import looks_like_labels, quoted
from .refusals import refuses, says_nothing
from .sample import MAX_CHARACTERS, Sample
from .totals import Totals

LEAST_ROWS_CONSTANT = 10
LEAST_CHARACTERS_ECHO = 20
LEAST_CHARACTERS_CUT = 100
LEAST_ROWS_CUT = 5
LEAST_SHARE_CUT = 0.02
_ENDS_OF_SENTENCE = tuple(".!?…\"'”’)]}>。！？」』）:;|`*")


def examine_answers(sample: Sample, bodies: Sequence[str], totals: Totals, findings: Findings) -> None:
    """The answers of one file; `bodies` are its prompts without what they have in common."""
    answers = sample.answers
    if not answers:
        return
    if sample.role == "train" and _constant(answers, totals.answers):
        values: Values = {"count": len(answers), "found": quoted(answers[0])}
        findings.add("ANSWER-CONSTANT", values, file=sample.file, text=answers[0])
    _examine_placeholders(sample, totals.answers, findings)
    sample.report(findings, "ANSWER-REFUSALS", _those(answers, refuses))
    sample.report(findings, "ANSWER-SPACES", _spaced(sample))
    sample.report(findings, "ANSWER-ECHO", _echoes(sample.prompts, bodies, answers))
    _examine_cut(sample, findings)


def _constant(answers: Sequence[str], counted: Mapping[str, int] | None) -> bool:
    if len(answers) < LEAST_ROWS_CONSTANT or (counted is not None and len(counted) > 1):
        return False
    return len(set(answers)) == 1


def _examine_placeholders(sample: Sample, counted: Mapping[str, int] | None, findings: Findings) -> None:
    """Answers that stand for a missing one; a word such as ``none`` may be one label of several."""
    often: set[str] = set()
    if counted is not None and looks_like_labels(counted):
        often = {answer for answer, count in counted.items() if count >= 2}
    empty = _those(sample.answers, lambda answer: says_nothing(answer) and answer not in often)
    found: list[tuple[int, Values]] = [(at, {"found": quoted(sample.answers[at])}) for at in empty]
    sample.report_rows(findings, "ANSWER-PLACEHOLDER", found)


def _those(answers: Sequence[str], wrong: Callable[[str], bool]) -> list[int]:
    """The positions of wrong answers; each different answer is judged once."""
    found = {answer for answer in set(answers) if wrong(answer)}
    return [at for at, answer in enumerate(answers) if answer in found] if found else []


def _spaced(sample: Sample) -> list[int]:
    """Answers with white space around them; a completion may begin with the space that parts it from the prompt."""
    if sample.fmt.name == "completion":
        return [at for at, answer in enumerate(sample.answers) if answer[-1:].isspace()]
    return [
        at
        for at, answer in enumerate(sample.answers)
        if answer[:1].isspace() or (answer[-1:].isspace() and len(answer) < MAX_CHARACTERS)
    ]


def _echoes(prompts: Sequence[str], bodies: Sequence[str], answers: Sequence[str]) -> list[int]:
    """Answers that are the prompt again, or what it asks about, or that begin with the whole prompt."""
    found = []
    for at, (prompt, body, answer) in enumerate(zip(prompts, bodies, answers, strict=True)):
        length = len(answer)
        if length < LEAST_CHARACTERS_ECHO:
            continue
        begins_with_it = len(prompt) >= LEAST_CHARACTERS_ECHO and answer.startswith(prompt)
        if begins_with_it or (abs(length - len(body)) <= 2 and answer.strip() == body.strip()):
            found.append(at)
    return found


def _examine_cut(sample: Sample, findings: Findings) -> None:
    """Many answers of exactly the greatest length, that end within a sentence, were cut off by what made them."""
    lengths = Counter(map(len, sample.answers))
    longest = max(lengths)
    count = lengths[longest]
    if not LEAST_CHARACTERS_CUT <= longest < MAX_CHARACTERS:
        return
    if count >= max(LEAST_ROWS_CUT, LEAST_SHARE_CUT * len(sample)) and count < len(sample):
        at_limit = [at for at, answer in enumerate(sample.answers) if len(answer) == longest]
        open_ended = [at for at in at_limit if not sample.answers[at].rstrip().endswith(_ENDS_OF_SENTENCE)]
        if 2 * len(open_ended) > count and len({sample.answers[at] for at in open_ended}) > 1:
            sample.report(findings, "ANSWER-CUT", open_ended, characters=longest)
