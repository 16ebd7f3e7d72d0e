"""The verdict on a tuned model: one comparison, written once, on identical rows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fakes import MemoryObjects
from fakes_vertex import MemoryPredictor, MemoryRegistry, Tokens
from run_facts import BASE, ENDPOINT, MODEL, RUN, SETTINGS, dataset_ready, stored, text_rows, tuning_succeeded

from droptune.errors import Refused, Retryable
from droptune.evaluate import EvaluatePorts, evaluate
from droptune.events import EvaluationFailed, Format, ModelApproved, ModelRejected, TuningSucceeded
from droptune.ports import Prompt, Turn

LABELS = ("lost_card", "refund", "top_up")


def asks(number: int) -> str:
    return f"question {number} about {LABELS[number % 3]}"


ROWS = text_rows([(asks(number), LABELS[number % 3]) for number in range(90)])


def right(prompt: Prompt) -> str:
    """The label that the row's own text names last."""
    return max(LABELS, key=prompt[-1].text.rfind)


BARE, INSTRUCTED, WITH_EXAMPLES = "bare prompts", "prompts with the list of classes", "after 3 examples"


def form(prompt: Prompt) -> str:
    """How a row is put to a model, in the words of the report."""
    if len(prompt) > 1:
        return WITH_EXAMPLES
    return INSTRUCTED if prompt[0].text.startswith("Classify") else BARE


def number_of(prompt: Prompt) -> int:
    """The row that is asked."""
    return int(prompt[-1].text.rpartition("question ")[2].partition(" ")[0])


@dataclass
class World:
    """A run with its files and models; `objects` may be shared by repeats."""

    predictor: MemoryPredictor
    fact: TuningSucceeded
    objects: MemoryObjects
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)

    def evaluate(self, max_rows: int = 250) -> ModelApproved | ModelRejected | EvaluationFailed:
        ticks = count()
        return evaluate(
            self.fact,
            EvaluatePorts(
                objects=self.objects,
                predictor=lambda ready: self.predictor,
                registry=self.registry,
                settings=SETTINGS,
                clock=lambda: float(next(ticks)),
                max_rows=max_rows,
            ),
        )

    @property
    def report(self) -> dict[str, Any]:
        data = self.objects.read(SETTINGS.runs_bucket, f"{RUN}/evaluation.json")
        assert data is not None
        report: dict[str, Any] = json.loads(data)
        return report


def world(
    predictor: MemoryPredictor,
    rows: Sequence[dict[str, Any]] = ROWS,
    held_out: Sequence[dict[str, Any]] = ROWS[:60],
    fmt: Format = "text",
    endpoint: str | None = ENDPOINT,
) -> World:
    objects = MemoryObjects()
    train, evaluation = stored(objects, "banking/train.jsonl", rows), stored(objects, "banking/eval.jsonl", held_out)
    return World(predictor, tuning_succeeded(dataset_ready(train, evaluation, fmt), endpoint), objects)


def tuned_knows(target: str, prompt: Prompt) -> str:
    """The tuned endpoint is right; the base chats."""
    return right(prompt) if target == ENDPOINT else "I can help you with that."


def test_held_out_rows_may_have_a_format_of_their_own() -> None:
    """Rows of `prompt` and `ground_truth` evaluate a model as text rows with the same words do."""
    held_out = [{"prompt": row["input_text"], "ground_truth": row["output_text"]} for row in ROWS[:60]]
    run = world(MemoryPredictor(tuned_knows, lambda target, prompt, labels: labels[0]), held_out=held_out)
    ready = run.fact.dataset_ready
    files = {**ready.files, "eval": msgspec.structs.replace(ready.files["eval"], format="ground_truth")}
    run.fact = msgspec.structs.replace(run.fact, dataset_ready=msgspec.structs.replace(ready, files=files))
    fact = run.evaluate()
    assert isinstance(fact, ModelApproved)
    assert (fact.tuned.value, fact.tuned.rows) == (1.0, 60)


def test_a_model_that_beats_its_base_is_approved() -> None:
    """All right against none: the fact carries both values with their intervals."""
    fact = world(MemoryPredictor(tuned_knows, lambda target, prompt, labels: labels[0])).evaluate()
    assert isinstance(fact, ModelApproved)
    assert (fact.metric, fact.tuned.value, fact.tuned.rows) == ("exact_match", 1.0, 60)
    assert (fact.baseline_name, round(fact.baseline.value, 3)) == ("base label-scored", 0.333)
    assert fact.reason == "better: exact_match 1.00 against 0.33 label-scored, p < 0.001 on 60 rows"
    assert fact.evaluation_uri == f"gs://p-runs/{RUN}/evaluation.json"


def test_a_model_no_better_than_its_base_is_rejected() -> None:
    """The baseline is the base at its best: here few-shot finds every answer."""

    def answer(target: str, prompt: Prompt) -> str:
        return right(prompt) if target == ENDPOINT or form(prompt) == WITH_EXAMPLES else "no idea"

    fact = world(MemoryPredictor(answer)).evaluate()
    assert isinstance(fact, ModelRejected)
    assert (fact.baseline_name, fact.baseline.value) == ("base few-shot", 1.0)
    assert fact.reason == "not better: exact_match 1.00 against 1.00 few-shot, p = 1 on 60 rows"


def test_every_contestant_gets_the_same_rows() -> None:
    """Each is asked once for each held-out row, tuned with the bare prompt, and nothing else is asked."""
    scene = world(MemoryPredictor(tuned_knows, lambda target, prompt, labels: right(prompt)))
    scene.evaluate()
    asked = scene.predictor.asked
    assert [prompt for _, target, prompt in asked if target == ENDPOINT] == [
        (Turn("user", asks(n)),) for n in range(60)
    ]
    numbers: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for kind, target, prompt in asked:
        numbers[kind, target, form(prompt)].append(number_of(prompt))
    assert {contestant: sorted(rows) for contestant, rows in numbers.items()} == {
        ("generate", ENDPOINT, BARE): list(range(60)),
        ("generate", BASE, INSTRUCTED): list(range(60)),
        ("generate", BASE, WITH_EXAMPLES): list(range(60)),
        **{("choose", BASE, way): list(range(60)) for way in (BARE, INSTRUCTED, WITH_EXAMPLES)},
    }


def test_the_report_tells_the_whole_comparison_without_rows() -> None:
    """Contestants, test, misses by line number, templates; no text of any row and no label."""
    wrong_on_line_3 = asks(2)

    def answer(target: str, prompt: Prompt) -> str:
        return "?" if prompt[0].text == wrong_on_line_3 else tuned_knows(target, prompt)

    scene = world(MemoryPredictor(answer, lambda target, prompt, labels: labels[0]))
    scene.evaluate()
    report = scene.report
    assert (report["version"], report["run_id"], report["task"], report["rows"]) == (1, RUN, "classification", 60)
    assert (report["sampled"], report["labels"], report["model"]) == (False, 3, MODEL)
    names = [contestant["name"] for contestant in report["contestants"]]
    assert names == ["tuned", "base zero-shot", "base few-shot", "base label-scored"]
    assert report["comparison"]["baseline"] == "base label-scored"
    assert report["comparison"]["test"] == "McNemar, exact"
    assert report["misses"] == [{"line": 3, "score": 0.0, "baseline_score": 0.0}]
    assert [contestant["seconds"] for contestant in report["contestants"]] == [1.0, 1.0, 1.0, 1.0]
    text = json.dumps(report)
    assert "question" not in text
    assert not any(label in text for label in LABELS)


@pytest.mark.parametrize(
    ("best", "template"),
    [
        (BARE, "{prompt}"),
        (INSTRUCTED, "{instruction}\n\nInput: {prompt}\nOutput:"),
        (WITH_EXAMPLES, "{3 examples} as turns\n{prompt}"),
    ],
)
def test_label_scoring_reports_its_best_form_and_says_which(best: str, template: str) -> None:
    """The base is right in one of the three forms: that one counts, the others are told, given up after a trial."""

    def choice(target: str, prompt: Prompt, labels: Sequence[str]) -> str:
        return right(prompt) if form(prompt) == best else labels[0]

    scene = world(MemoryPredictor(tuned_knows, choice))
    scene.evaluate()
    scored = scene.report["contestants"][3]
    assert (scored["metrics"]["exact_match"]["value"], scored["template"]) == (1.0, template)
    others = [f"0.33 {way} (on 30 rows, then given up)" for way in (BARE, INSTRUCTED, WITH_EXAMPLES) if way != best]
    assert scored["detail"] == "; ".join([f"likeliest of the labels, {best}", *others])


def test_label_scoring_asks_every_row_of_each_form_that_could_be_best() -> None:
    """Every second row of 60 is the trial; a form that does well there counts on all rows, one that does not stops."""

    def choice(target: str, prompt: Prompt, labels: Sequence[str]) -> str:
        wrong = form(prompt) == WITH_EXAMPLES or (form(prompt) == BARE and number_of(prompt) % 10 == 1)
        return "none of them" if wrong else right(prompt)

    scene = world(MemoryPredictor(tuned_knows, choice))
    scene.evaluate()
    scored = scene.report["contestants"][3]
    assert (scored["metrics"]["exact_match"]["value"], scored["metrics"]["exact_match"]["rows"]) == (1.0, 60)
    assert scored["detail"] == (
        f"likeliest of the labels, {INSTRUCTED}; 0.90 {BARE}; 0.00 {WITH_EXAMPLES} (on 30 rows, then given up)"
    )
    chosen = [(form(prompt), number_of(prompt)) for kind, _, prompt in scene.predictor.asked if kind == "choose"]
    assert [number for way, number in chosen if way == WITH_EXAMPLES] == list(range(0, 60, 2))
    assert sorted(number for way, number in chosen if way == BARE) == list(range(60))


def test_a_target_that_cannot_choose_says_so() -> None:
    """A refused contestant stays in the table with the reason, and the others decide."""
    scene = world(MemoryPredictor(tuned_knows))
    assert isinstance(scene.evaluate(), ModelApproved)
    assert scene.report["contestants"][3]["refused"] == f"{BASE} has no controlled generation"


def test_examples_too_long_to_show_are_said_to_be() -> None:
    """Without a single example there is no few-shot contestant, rather than a second zero-shot one."""
    rows = text_rows([(f"{'long ' * 1300}{number}", f"an answer {number}") for number in range(20)])
    scene = world(MemoryPredictor(lambda target, prompt: f"an answer {prompt[0].text.split()[-1]}"), rows, rows)
    scene.evaluate()
    assert scene.report["contestants"][2]["refused"] == "no training example fits into a prompt of 6,000 bytes"


def test_without_any_baseline_there_is_no_verdict() -> None:
    """A base model that refuses everything leaves nothing to compare with, which is said, not guessed."""

    def answer(target: str, prompt: Prompt) -> str:
        if target == BASE:
            raise Refused("retired")
        return right(prompt)

    scene = world(MemoryPredictor(answer))
    failed = scene.evaluate()
    assert isinstance(failed, EvaluationFailed)
    assert failed.failure.message == f"no baseline: {BASE} cannot be asked in any way: retired"
    assert scene.evaluate() == failed


def test_data_that_are_gone_end_the_run_with_the_reason() -> None:
    """An object that was replaced while the model was tuned cannot be read again, however often it is tried."""
    scene = world(MemoryPredictor(tuned_knows))
    train = scene.fact.dataset_ready.files["train"]
    scene.objects.upload(train.bucket, train.name, b"other rows")
    failed = scene.evaluate()
    assert isinstance(failed, EvaluationFailed)
    assert failed.failure.code == "ObjectGone"


def test_a_repeat_predicts_nothing() -> None:
    """The second delivery rebuilds the same fact from evaluation.json."""
    scene = world(MemoryPredictor(tuned_knows))
    first = scene.evaluate()
    scene.predictor.asked.clear()
    assert scene.evaluate() == first
    assert scene.predictor.asked == []


def test_of_two_at_once_the_first_to_write_decides() -> None:
    """A delivery that was measuring meanwhile reports what the other wrote."""
    scene = world(MemoryPredictor(tuned_knows))
    other = World(MemoryPredictor(lambda target, prompt: "?"), scene.fact, scene.objects)
    verdicts: list[object] = []

    def answer(target: str, prompt: Prompt) -> str:
        if not verdicts:
            verdicts.append(other.evaluate())
        return tuned_knows(target, prompt)

    scene.predictor.answer = answer
    assert scene.evaluate() == verdicts[0]
    assert isinstance(verdicts[0], ModelRejected)


def test_a_missing_endpoint_is_looked_up() -> None:
    """A pipeline job reports the model alone; the registry knows where it is deployed."""
    scene = world(MemoryPredictor(tuned_knows), endpoint=None)
    scene.registry.add(MODEL, endpoints=(ENDPOINT,))
    fact = scene.evaluate()
    assert isinstance(fact, ModelApproved)
    assert fact.endpoint == ENDPOINT


def test_a_model_without_endpoint_is_tried_again_later() -> None:
    """Deployment may still be under way."""
    scene = world(MemoryPredictor(tuned_knows), endpoint=None)
    scene.registry.add(MODEL)
    with pytest.raises(Retryable, match="deployed to no endpoint yet"):
        scene.evaluate()


def test_a_busy_service_leaves_nothing_behind() -> None:
    """A failed prediction writes no evaluation.json, so that the next delivery measures anew."""

    def busy(target: str, prompt: Prompt) -> str:
        raise Retryable("429")

    scene = world(MemoryPredictor(busy))
    with pytest.raises(Retryable):
        scene.evaluate()
    scene.predictor = MemoryPredictor(tuned_knows)
    assert isinstance(scene.evaluate(), ModelApproved)


def test_large_held_out_sets_are_sampled_and_it_is_said() -> None:
    """The report has the number compared and the number there are."""
    scene = world(MemoryPredictor(tuned_knows))
    scene.evaluate(max_rows=20)
    assert (scene.report["rows"], scene.report["held_out_rows"], scene.report["sampled"]) == (20, 60, True)


@pytest.mark.parametrize(
    ("tokens", "limit"),
    [
        (lambda text: {"lost_card": 2, "refund": 3, "top_up": 1, "a": 1}[text], 3 + 2),
        (lambda text: {"lost_card": 11, "refund": 12, "top_up": 10, "a": 10}[text], 3 + 2),
        (lambda text: 10 * len(text), 9 + 8),
        (None, 9 + 8),
    ],
    ids=["counted", "counted_with_what_is_around", "counted_above_the_bytes", "not_counted"],
)
def test_the_answer_limit_holds_the_longest_label(tokens: Tokens | None, limit: int) -> None:
    """Its tokens, without what the service counts around a text, and 2 more; its 9 bytes and 8 more are the bound."""
    scene = world(MemoryPredictor(tuned_knows, tokens=tokens))
    scene.evaluate()
    assert scene.predictor.limits == {limit}


def test_the_answer_limit_holds_the_longest_free_answer() -> None:
    """Without labels, the longest training answer has at most as many tokens as bytes; an umlaut has two."""
    rows = text_rows([(f"shorten {number}", f"ä {number:02}") for number in range(20)])
    scene = world(MemoryPredictor(lambda target, prompt: "?", tokens=lambda text: 1), rows, rows)
    scene.evaluate()
    assert scene.predictor.limits == {5 + 8}


def test_generation_is_judged_by_rouge() -> None:
    """Free answers get ROUGE-L, BLEU and exact match, compared by a paired permutation test."""
    sentences = [f"the {number} small birds of spring sing in tree number {number}" for number in range(40)]
    rows = text_rows([(f"Summarize: {sentence} and more", sentence) for sentence in sentences])

    def answer(target: str, prompt: Prompt) -> str:
        own = prompt[-1].text.rpartition("Summarize: ")[2].partition(" and more")[0]
        return own if target == ENDPOINT else "birds sing"

    scene = world(MemoryPredictor(answer), rows, rows)
    fact = scene.evaluate()
    assert isinstance(fact, ModelApproved)
    assert (fact.metric, round(fact.tuned.value, 6)) == ("rouge_l", 1.0)
    assert scene.report["comparison"]["test"] == "paired permutation"
    names = [contestant["name"] for contestant in scene.report["contestants"]]
    assert names == ["tuned", "base zero-shot", "base few-shot"]
    assert scene.report["tokenization"] == "words"
    assert set(scene.report["contestants"][0]["metrics"]) == {"rouge_l", "rouge_l_sum", "bleu", "exact_match"}


def test_real_rows_of_every_format_name_the_same_task() -> None:
    """Gemini rows with their own system instruction get no second one."""
    rows = [
        {
            "systemInstruction": {"parts": [{"text": "Classify into: lost_card, refund, top_up"}]},
            "contents": [
                {"role": "user", "parts": [{"text": row["input_text"]}]},
                {"role": "model", "parts": [{"text": row["output_text"]}]},
            ],
        }
        for row in ROWS
    ]
    scene = world(MemoryPredictor(tuned_knows), rows, rows[:30], "gemini_contents")
    assert isinstance(scene.evaluate(), ModelApproved)
    systems = {prompt[0].text for _, _, prompt in scene.predictor.asked}
    assert systems == {"Classify into: lost_card, refund, top_up"}


@pytest.mark.parametrize("module", ["evaluate", "register", "notify"])
def test_importing_a_hop_is_cheap(module: str) -> None:
    """Heavy libraries are loaded by what needs them, never by the import of a use case."""
    heavy = ("scipy", "sacrebleu", "rouge_score", "numpy", "torch", "google.cloud.", "google.auth", "requests")
    code = (
        f"import sys, droptune.{module}, droptune.clients.vertex, droptune.clients.webhook\n"
        f"print([name for name in sys.modules if name.startswith({heavy})])"
    )
    functions = Path(__file__).parents[2] / "functions"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=functions, capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"


def test_a_form_that_is_refused_leaves_the_other_forms_their_chance() -> None:
    """Examples that are too long for the context do not hide what the base model can do without them."""

    def choice(target: str, prompt: Prompt, labels: Sequence[str]) -> str:
        if len(prompt) > 1:
            raise Refused("too long")
        return right(prompt)

    scene = world(MemoryPredictor(tuned_knows, choice))
    fact = scene.evaluate()
    assert isinstance(fact, ModelRejected)
    assert fact.baseline is not None and fact.baseline.value == 1.0
    assert "refused after 3 examples" in scene.report["contestants"][3]["detail"]


def test_with_few_rows_no_form_is_given_up() -> None:
    """Every form is asked every row, once, and the remarks say no more than its value."""
    scene = world(MemoryPredictor(tuned_knows, lambda target, prompt, labels: labels[0]), held_out=ROWS[:30])
    scene.evaluate()
    assert "given up" not in scene.report["contestants"][3]["detail"]
    assert len([call for call in scene.predictor.asked if call[0] == "choose"]) == 3 * 30
