"""The contestants: the tuned model and every way of asking its base model, each on the same held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import Refused
from ..events import Format, Interval
from ..ports import Predictor
from . import statistics
from .examples import Example, Profile
from .metrics import METRICS, METRICS_OF_TASK, Scores
from .report import Contestant, ContestantName
from .templates import MAX_SHOTS_BYTES, Template, bare, few_shot, instructed

# A token is at least one byte, so this many tokens always hold the longest expected answer and its end.
OUTPUT_TOKENS_MARGIN = 8
ONE_TOKEN = "a"
LABEL_TOKENS_MARGIN = 2  # the end, and a blank before the label
MAX_OUTPUT_TOKENS = 1024
# A form of asking that lags on this many rows is not asked the others; the report says so, with what it reached.
TRIAL_ROWS = 50
HOPELESS_LAG = 0.05


@dataclass(frozen=True)
class Match:
    """What all contestants share."""

    predictor: Predictor
    fmt: Format
    profile: Profile
    rows: Sequence[Example]
    clock: Callable[[], float]
    output_tokens: int

    @property
    def primary_metric(self) -> str:
        return METRICS_OF_TASK[self.profile.task][0]


@dataclass(frozen=True)
class Entry:
    """A contestant as reported, with its score on every row by the primary metric (none where it was refused)."""

    contestant: Contestant
    scores: Scores = field(default_factory=list)

    @property
    def value(self) -> float:
        return sum(self.scores) / len(self.scores) if self.scores else -1.0


def output_tokens(predictor: Predictor, base_model: str, profile: Profile) -> int:
    """How long an answer may be: as long as the longest label, or as the longest training answer has bytes."""
    bound = min(profile.longest_answer_bytes + OUTPUT_TOKENS_MARGIN, MAX_OUTPUT_TOKENS)
    if profile.task != "classification":
        return bound
    try:
        *labels, one = predictor.count_tokens(base_model, [*profile.labels, ONE_TOKEN])
    except Refused:
        return bound
    around = one - 1  # what the service counts beside the text itself, such as the marks of a turn
    return min(bound, max(labels) - around + LABEL_TOKENS_MARGIN)


def tuned_entry(match: Match, endpoint: str) -> Entry:
    """The tuned model, asked exactly as its training rows ask. Refused when its endpoint refuses."""
    return _generated(match, "tuned", endpoint, bare(match.fmt), "prompts as in the training rows")


def base_entries(match: Match, base_model: str) -> list[Entry]:
    """The base model at its best: prompted without and with examples, and made to choose among the labels."""
    zero, few = (make(match.fmt, match.profile, match.rows) for make in (instructed, few_shot))
    lines = ", ".join(str(shot.line) for shot in few.shots)
    attempts: list[tuple[ContestantName, Template, str]] = [
        ("base zero-shot", zero, "with the list of classes" if zero.instruction else "prompts as in the rows"),
        ("base few-shot", few, f"{len(few.shots)} examples, lines {lines} of the training file"),
    ]
    entries: list[Entry] = []
    for name, template, detail in attempts:
        try:
            if template is few and not few.shots:
                raise Refused(f"no training example fits into a prompt of {MAX_SHOTS_BYTES:,} bytes")
            entries.append(_generated(match, name, base_model, template, detail))
        except Refused as error:
            entries.append(_refused(name, base_model, template, detail, error))
    if match.profile.task == "classification":
        entries.append(_label_scored(match, base_model, zero, few))
    return entries


def _label_scored(match: Match, base_model: str, with_instruction: Template, with_examples: Template) -> Entry:
    """The best of choosing with the bare prompt, with the instruction, and after examples.

    With many rows, a form that lags behind on a sample is given up; whatever may be best is asked every row.
    """
    forms = {"bare prompts": bare(match.fmt)}
    if with_instruction.instruction:
        forms["prompts with the list of classes"] = with_instruction
    if with_examples.shots:
        forms[f"after {len(with_examples.shots)} examples"] = with_examples
    everyone = range(len(match.rows))
    stride = -(-len(match.rows) // TRIAL_ROWS)
    trial, rest = everyone[::stride], [number for number in everyone if number % stride]
    started = match.clock()
    answers: dict[str, dict[int, str]] = {}
    remarks: dict[str, str] = {}
    refusal: Refused | None = None
    for form, template in forms.items():
        try:
            answers[form] = _choose(match, trial, base_model, template)
        except Refused as error:
            refusal, remarks[form] = error, f"refused {form}"
    if refusal is not None and not answers:
        return _refused("base label-scored", base_model, forms["bare prompts"], "likeliest of the labels", refusal)
    values = {form: _share_right(match, found) for form, found in answers.items()}
    leading = max(values.values())
    for form, value in list(values.items()):
        if rest and value < leading - HOPELESS_LAG:
            remarks[form] = f"{value:.2f} {form} (on {len(trial)} rows, then given up)"
            del values[form]
        elif rest:
            answers[form] |= _choose(match, rest, base_model, forms[form])
            values[form] = _share_right(match, answers[form])
    best = max(values, key=values.__getitem__)
    remarks |= {form: f"{value:.2f} {form}" for form, value in values.items() if form != best}
    detail = "; ".join([f"likeliest of the labels, {best}", *(remarks[form] for form in forms if form in remarks)])
    seconds = match.clock() - started
    chosen = [answers[best][number] for number in everyone]
    return _scored(match, "base label-scored", base_model, forms[best], detail, chosen, seconds)


def _choose(match: Match, numbers: Sequence[int], target: str, template: Template) -> dict[int, str]:
    """The label chosen for each of the rows of these numbers."""
    prompts = [template.render(match.rows[number].prompt) for number in numbers]
    return dict(zip(numbers, match.predictor.choose(target, prompts, match.profile.labels), strict=True))


def _share_right(match: Match, answers: Mapping[int, str]) -> float:
    expected = [match.rows[number].expected for number in answers]
    scores = METRICS[match.primary_metric](list(answers.values()), expected)
    return sum(scores) / len(scores)


def _generated(match: Match, name: ContestantName, target: str, template: Template, detail: str) -> Entry:
    prompts = [template.render(row.prompt) for row in match.rows]
    started = match.clock()
    answers = [template.answer(text) for text in match.predictor.generate(target, prompts, match.output_tokens)]
    return _scored(match, name, target, template, detail, answers, match.clock() - started)


def _scored(
    match: Match,
    name: ContestantName,
    target: str,
    template: Template,
    detail: str,
    answers: Sequence[str],
    seconds: float,
) -> Entry:
    expected = [row.expected for row in match.rows]
    scores: Mapping[str, Scores] = {
        metric: METRICS[metric](answers, expected) for metric in METRICS_OF_TASK[match.profile.task]
    }
    contestant = Contestant(
        name=name,
        target=target,
        detail=detail,
        template=template.outline,
        metrics={metric: interval(metric, values) for metric, values in scores.items()},
        seconds=round(seconds, 3),
    )
    return Entry(contestant, scores[match.primary_metric])


def _refused(name: ContestantName, target: str, template: Template, detail: str, error: Refused) -> Entry:
    return Entry(Contestant(name=name, target=target, detail=detail, template=template.outline, refused=str(error)))


def interval(metric: str, scores: Sequence[float]) -> Interval:
    """A metric's value with its 95 % interval: exact matches are a share, the others a mean."""
    return statistics.share(scores) if metric == "exact_match" else statistics.mean(scores)


def p_value(metric: str, first: Sequence[float], second: Sequence[float]) -> tuple[str, float]:
    """The name of the paired test that fits the metric, and its p-value."""
    if metric == "exact_match":
        return "McNemar, exact", statistics.shares_differ(first, second)
    return "paired permutation", statistics.means_differ(first, second)
